"""What a review buys: students of large models' drafts on FiNER-ORD, in five folds of the test documents.

Drafts are the stored replies of Llama 3.1 405B, doubted where those of Llama 3.1 70B and GPT-4o differ.
Gold stands in for the reviewer of the 10, 20 and 40 % most doubtful sentences, or of as many by chance. Every
step is a command of the suite; what is there already is not made again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

TEACHERS = ("llama_405b", "llama_70b", "gpt_4o")
LEAD = "labelling.lead='Llama 3.1 405B, run 1'"
SHARES = (10, 20, 40)
ROWS = [
    *("drafts", "drafts_llama_70b", "drafts_gpt_4o", "vote", "gold"),
    *(f"{order}_{share}" for share in SHARES for order in ("doubt", "chance")),
    "drafts_and_train",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--runs-dir", default="runs")
    given = parser.parse_args()
    places = [f"data_dir='{given.data_dir}'", f"runs_dir='{given.runs_dir}'"]
    folder = Path(given.runs_dir) / "labels" / "finer_ord"

    def run(verb: str, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "tasks.ner", verb, *words, *places], check=True)

    for teacher in TEACHERS:
        labelling = [f"labelling.folder='{folder}'", "labelling.split=test"]
        run("label", "data=finer_ord", f"baseline={teacher}", *labelling)
    reviewed = {f"{order}_{share}": (order, share / 100) for share in SHARES for order in ("doubt", "chance")}
    for name, (order, share) in {"all": ("doubt", 1.0), **reviewed}.items():
        into = folder.with_name(f"{folder.name}_{name}")
        if not into.is_dir():
            words = [f"rehearse.into='{into}'", f"rehearse.share={share}", f"rehearse.order={order}"]
            run("rehearse", "data=finer_ord", f"labelling.folder='{folder}'", LEAD, *words)
    for row in ROWS:
        run("crossvalidate", f"experiment=ner/folds_{row}", "hardware.threads=1")
    for teacher in TEACHERS:
        run("evaluate", f"experiment=ner/folds_{teacher}")


if __name__ == "__main__":
    main()
