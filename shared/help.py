"""The text of `--help`, made from the names of the config files: Hydra is not imported for it."""

from pathlib import Path
from typing import Any

import yaml

CONF = Path(__file__).resolve().parent.parent / "conf"

VERBS = {
    "train": "train a specialist; leaves a run with its bundle, and its validation scores",
    "evaluate": "score a run (run=...) or a baseline (baseline=...) on the test split; writes record.json",
    "crossvalidate": "train and score once for each fold (data=labelled data.folds=5); one record of all",
    "calibrate": "fit a run's thresholds and promises (run=..., promise.risks=[0.02]) on validation anew",
    "resplit": "divide validation and test of an evaluated run (run=...) anew: how often promises are kept",
    "export": "make a run's bundle (run=...) a graph for an engine without torch (export.format=onnx_int8)",
    "predict": "stream texts (predict.input=FILE, - for stdin) to JSON lines with the answers",
    "label": "let a teacher draft labels (labelling.folder=labels/news teacher=server) to be reviewed",
    "review": "serve a page to this machine on which people accept, correct or reject what was drafted",
    "audit": "estimate how many labels of a labelling are wrong, list them, and words labelled in two ways",
    "exchange": "write a labelling for Label Studio or Argilla (exchange.write=FILE), or read it back",
    "rehearse": "let gold decide a share of a labelling (rehearse.share=0.2): what a review would buy",
    "publish": "put an evaluated run (run=...) into leaderboards/ and render its tables",
    "push": "upload an evaluated run's bundle (run=...) with its card to a hub (push.repo=ORG/NAME)",
    "compare": "compare two runs A B by a paired test, and list the answers that changed",
    "release": "judge NEW against OLD by a budget (release.loss=...): exit code 1 where it breaks one",
}


def help_text(task: str, *, conf: Path) -> str:
    """Return what the command can do: its verbs, the groups and options, how overrides are written."""
    lines = [
        f"{command(task, 'VERB', conf=conf)} [OVERRIDE ...]",
        "",
        "verbs",
        *(f"  {verb:<13} {meaning}" for verb, meaning in verbs(task, conf=conf).items()),
        "",
        "groups, each chosen as group=option",
        *(f"  {group:<13} {', '.join(options)}" for group, options in groups(task, conf=conf).items()),
        "",
        "All after the verb are Hydra overrides: train.epochs=3 lora.r=8 seed=2 experiment=ner/minilm_lora.",
        "-m runs every combination of lora.r=4,8,16; --cfg job prints the composed configuration.",
        "Public data is read from, and fetched into, data_dir (environment: RIGHTSIZE_DATA_DIR).",
    ]
    return "\n".join(lines)


def command(task: str, verb: str, *, conf: Path = CONF) -> str:
    """Return what one types for the task's verb."""
    given = _task(task, conf)
    return f"python -m tasks.{given['package']} {verb} {given['chosen_by']}".rstrip()


def verbs(task: str, *, conf: Path) -> dict[str, str]:
    """Return verb -> meaning: those of every task, and those of this one alone."""
    own = _task(task, conf)["verbs"]
    return {**VERBS, **{verb: entry["help"] for verb, entry in own.items()}}


def groups(task: str, *, conf: Path) -> dict[str, list[str]]:
    """Return group -> options, for the groups in the defaults list of `config.yaml` besides the task."""
    defaults = yaml.safe_load((conf / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    names = [name for entry in defaults if isinstance(entry, dict) for name in entry if name != "task"]
    return {name: _options(name.partition("@")[0], task, conf) for name in names}


def _task(task: str, conf: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((conf / "task" / f"{task}.yaml").read_text(encoding="utf-8"))
    return found


def _options(group: str, task: str, conf: Path) -> list[str]:
    found = {
        path.relative_to(root / group).with_suffix("").as_posix()
        for root in (conf, conf / task)
        for path in (root / group).rglob("*.yaml")
    }
    return sorted(option for option in found if "/" not in option or option.startswith(f"{task}/"))
