"""Whether `release` blocks a real regression and lets a re-trained twin pass, on FiNER-ORD.

Three specialists are trained by the published recipe: the old version; a twin, of another seed; and one whose
training labels were swapped by mistake, every LOC an ORG. Prints what `release` says of the last two against
the first, and fails unless the twin passes and the mistake is blocked. Takes three trainings.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from shared.compose import compose_run
from shared.examples import SpanExample
from shared.words import span_words

SWAPPED = {"LOC": "ORG"}
RECIPE = "experiment=ner/minilm_lora"


def main() -> None:
    """Train the three, evaluate them on the real test split, and ask `release` of both pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--folder", default="runs/release_gate")
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    data = compose_run("ner", ["data=finer_ord", f"data_dir='{arguments.data_dir}'"]).data
    labels = ",".join(f"{label}:{name}" for label, name in data.types().items())
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation"):
        write_swapped(folder / f"{split}.conll", data.load(split))
    planted = [
        "data=conll",
        f"data.train={folder}/train.conll",
        f"data.validation={folder}/validation.conll",
        f"data.labels={{{labels}}}",
    ]
    place = f"data_dir='{arguments.data_dir}'"
    systems = {"old": ["seed=1"], "twin": ["seed=2"], "swapped": ["seed=1", *planted]}
    for name, words in systems.items():
        runs_dir = f"runs_dir={folder}/{name}"
        ner("train", RECIPE, *words, runs_dir, place)
        ner("evaluate", "data=finer_ord", runs_dir, place)
    old, twin, swapped = (str(newest(folder / name / "ner")) for name in systems)
    found = {
        name: ner("release", old, new, "data=finer_ord", place, check=False)
        for name, new in (("twin", twin), ("swapped", swapped))
    }
    print(f"exit codes of release: {found}; wanted: twin 0, swapped 1")  # noqa: T201  the bench's result
    sys.exit(found != {"twin": 0, "swapped": 1})


def ner(verb: str, *words: str, check: bool = True) -> int:
    """Return the exit code of the task's verb; with `check` only 0 will do."""
    return subprocess.run([sys.executable, "-m", "tasks.ner", verb, *words], check=check).returncode


def newest(folder: Path) -> Path:
    """Return the newest run in the folder."""
    return max(path for path in folder.iterdir() if (path / "record.json").is_file())


def write_swapped(path: Path, examples: list[SpanExample]) -> None:
    """Write sentences as columns, each label replaced by the one that it is mistaken for."""
    lines = []
    for example in examples:
        tags = ["O"] * len(example.words)
        for start, end, label in span_words(example)[0]:
            wrong = SWAPPED.get(label, label)
            tags[start:end] = [f"B-{wrong}", *[f"I-{wrong}"] * (end - start - 1)]
        words = [example.text[start:end] for start, end in example.words]
        lines += [f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True)]
        lines.append("\n")
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
