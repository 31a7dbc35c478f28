"""The text of `--help`, made from the names of the config files: Hydra is not imported for it."""

from pathlib import Path

VERBS = {
    "train": "train a specialist; leaves a run with its bundle, and its validation scores",
    "evaluate": "score a run (run=...) or a baseline (baseline=...) on the test split; writes record.json",
    "predict": "stream texts (predict.input=FILE, - for stdin) to JSON lines with spans",
    "publish": "put an evaluated run (run=...) into leaderboards/ and render its tables",
    "compare": "compare two runs A B by a paired test, and list the answers that changed",
}


def help_text(task: str, *, conf: Path) -> str:
    """Return what the command can do: its verbs, the groups and their options, and how overrides are written."""
    lines = [
        f"python -m tasks.{task} VERB [OVERRIDE ...]",
        "",
        "verbs",
        *(f"  {verb:<10} {meaning}" for verb, meaning in VERBS.items()),
        "",
        "groups, each chosen as group=option",
        *(f"  {group:<10} {', '.join(options)}" for group, options in groups(task, conf=conf).items()),
        "",
        "Everything after the verb is a Hydra override: train.epochs=3 lora.r=8 seed=2, experiment=ner/minilm_lora.",
        "-m runs every combination of lora.r=4,8,16; --cfg job prints the composed configuration.",
        "Public data is read from, and fetched into, data_dir (environment: RIGHTSIZE_DATA_DIR).",
    ]
    return "\n".join(lines)


def groups(task: str, *, conf: Path) -> dict[str, list[str]]:
    """Return group -> options, as the files below `conf` and `conf/<task>` name them."""
    found: dict[str, list[str]] = {}
    for root in (conf, conf / task):
        for folder in sorted(path for path in root.glob("*") if path.is_dir()):
            options = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
            if folder.name not in ("task", "cited") and options and (root != conf or not (conf / "task" / f"{folder.name}.yaml").is_file()):
                found[folder.name] = options
    if "experiment" in found:
        found["experiment"] = [option for option in found["experiment"] if option.startswith(f"{task}/")]
    return found
