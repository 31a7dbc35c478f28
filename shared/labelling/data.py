"""Training on a labelling: drafts, decisions of reviewers, labels that people made, each with its weight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from shared.contracts import DataAdapter, Types
from shared.errors import ConfigError, UserError
from shared.labelling.contracts import Form
from shared.labelling.division import divide
from shared.labelling.drafts import Label, Status, read_labels
from shared.labelling.folder import ANSWERS, DECISIONS, TEXTS, labelling_folder, read_about, read_answers
from shared.provenance import digest_files
from shared.typed_config import build

HUMAN = "human"
OWN = "labelled:"  # before the id of a text of the labelling: the source may have the same ids


@dataclass(frozen=True)
class Labelled:
    """The texts of a labelling with what stands of them, and the examples of `source`, which people labelled.

    Validation and test are those of `source`; without one, validation is a share of the documents of the
    labelling, by the hash of their name. With `folds` the documents are divided so too, and the fold `fold`
    is the test set, with the gold labels that `source` has of the same texts: `crossvalidate` takes each
    once.
    """

    name: str
    folder: str
    form: Any  # a `_target_` node, that of the labelling
    source: Any  # a `_target_` node of another adapter, or null
    lead: str  # the teacher whose answer is the draft; '' for what most teachers say
    least: float  # confidence that a draft needs
    drafted: float  # weights: how often an epoch reads such a text
    reviewed: float
    human: float
    validation_share: float  # of the documents, where there is no source, or with folds
    folds: int
    fold: int
    state: str  # the digest of the files to train on, as `crossvalidate` found them; '' takes what is there

    def __post_init__(self) -> None:
        """Raise `ConfigError` for numbers out of their range."""
        checks = (
            (0 <= self.fold <= self.folds, f"data.fold={self.fold}; allowed: 0 to data.folds={self.folds}"),
            (
                0 < self.validation_share < 1,
                f"data.validation_share={self.validation_share}; allowed: 0 to 1",
            ),
            (
                min(self.drafted, self.reviewed, self.human) >= 0,
                "data.drafted, reviewed, human; allowed: 0 or more",
            ),
        )
        if mistakes := [mistake for fits, mistake in checks if not fits]:
            raise ConfigError(mistakes)

    @property
    def licence(self) -> str:
        """The licences of the texts and, where it is trained on too, of the source."""
        own = [read_about(self._path).licence]
        if self.source and self.human:
            own.append(self.gold_source().licence)
        return "; ".join(dict.fromkeys(own))

    def types(self) -> Types:
        """Return the types of the labelling."""
        return read_about(self._path).types

    def files(self, split: str) -> list[Path]:
        """Return the labelling's files, and those of the source."""
        own = [self._path / name for name in (TEXTS, ANSWERS, DECISIONS)]
        if split == "test" or (split == "validation" and self.source and not self.folds):
            return self.gold_source().files(self.gold_split() if self.folds else split)
        other = self.gold_source().files(split) if split == "train" and self.human and self.source else []
        return [*(path for path in own if path.is_file()), *other]

    def load(self, split: str) -> list[Any]:
        """Return the split's examples; those to train on are never of the fold, nor of validation."""
        if split == "test":
            return self._gold_of_fold() if self.folds else self.gold_source().load("test")
        if split == "validation" and self.source and not self.folds:
            return self.gold_source().load("validation")
        own = [label for label in self._usable if self._parts[label.example.document] == split]
        examples = [
            replace(self._form.labelled(label.example, label.prediction), id=OWN + label.example.id)
            for label in own
        ]
        if split == "train" and self.human and self.source:
            examples += self.gold_source().load("train")
        return examples

    def weight(self, example: Any) -> float:
        """Return how often an epoch reads the example."""
        return self._weight_of(self._kind(example))

    def notes(self) -> dict[str, float]:
        """Return how many texts were labelled and reviewed, and what the teachers' answers cost."""
        reviewed = sum(label.status in (Status.reviewed, Status.rejected) for label in self._labels)
        answers = read_answers(self._path)
        own = [answer for answer in answers if answer.by == self.lead] if self.lead else answers
        return {
            "labelled_texts": len(self._labels),
            "reviewed_texts": reviewed,
            "reviewed_share": reviewed / max(len(self._labels), 1),
            "draft_dollars": sum(answer.dollars for answer in own),
            "answer_dollars": sum(answer.dollars for answer in answers),
        }

    def report(self) -> str:
        """Return how many texts are drafted, reviewed, rejected or blank, and what of them is trained on."""
        about = read_about(self._path)
        counts = Counter(label.status.value for label in self._labels)
        training = self.load("train")
        kinds = Counter(map(self._kind, training))
        parts = [f"{count:,} {kind}" for kind, count in sorted(counts.items())]
        used = [
            f"{count:,} {kind} (weight {self._weight_of(kind):g})" for kind, count in sorted(kinds.items())
        ]
        fold = f", fold {self.fold} of {self.folds} held out" if self.fold else ""
        lines = [
            f"data: {self.name}, licence: {self.licence}",
            f"labelling {self.folder}: {len(self._labels):,} texts of {about.data}: {', '.join(parts)}{fold}",
            f"to train on: {', '.join(used) or 'nothing'}; validation: {len(self.load('validation')):,}",
        ]
        return "\n".join(lines)

    def gold_source(self) -> DataAdapter:
        """Return the adapter of the labels that people made; raises `ConfigError` where there is none."""
        if not self.source:
            raise ConfigError(
                ["data.source is empty: name labels that people made, to test on, as data@source=finer_ord"]
            )
        source: DataAdapter = build(self.source, path="data.source")
        if dict(source.types()) != dict(self.types()):
            raise ConfigError(
                [f"data.source={source.name} has other labels than the labelling {self.folder}"]
            )
        return source

    def gold_split(self) -> str:
        """Return the split of the source that the texts were taken from."""
        if split := read_about(self._path).split:
            return split
        raise ConfigError(["data.folds: the texts came from a file, there is no gold to judge a fold by"])

    def gold(self) -> list[Any]:
        """Return the texts of the labelling as `source` labels them, whichever fold they are in."""
        ids = {label.example.id for label in self._labels}
        found = [example for example in self.gold_source().load(self.gold_split()) if example.id in ids]
        if len(found) < len(ids):
            raise UserError(
                f"data.folds: {self.source['name']} has gold for {len(found)} of {len(ids)} texts"
            )
        return found

    @property
    def _path(self) -> Path:
        return labelling_folder(self.folder)

    @cached_property
    def _form(self) -> Form:
        form: Form = build(self.form, path="data.form")
        return form.bind(self.types())

    @cached_property
    def _labels(self) -> list[Label]:
        self._keep_test_out()
        if self.state and self.state != digest_files(self.files("train")):
            raise ConfigError([f"{self.folder} is not what the training began with: labels came to it since"])
        return read_labels(self._path, self._form, lead=self.lead)

    @cached_property
    def _status(self) -> dict[str, Status]:
        return {OWN + label.example.id: label.status for label in self._labels}

    @property
    def _usable(self) -> list[Label]:
        """The texts with an answer to train on: decided, or drafted with confidence enough and a weight."""
        return [
            label
            for label in self._labels
            if (label.status is Status.reviewed and self.reviewed)
            or (label.status is Status.drafted and self.drafted and label.confidence >= self.least)
        ]

    def _kind(self, example: Any) -> str:
        return self._status[example.id].value if example.id in self._status else HUMAN

    def _weight_of(self, kind: str) -> float:
        return {HUMAN: self.human, Status.drafted.value: self.drafted}.get(kind, self.reviewed)

    @cached_property
    def _parts(self) -> dict[str, str]:
        """Which documents are for what; with a source and no folds all are for training."""
        sizes = Counter(label.example.document for label in self._labels)
        if self.source and not self.folds:
            return dict.fromkeys(sizes, "train")
        return divide(sizes, folds=self.folds, fold=self.fold, validation_share=self.validation_share)

    def _gold_of_fold(self) -> list[Any]:
        return [one for one in self.gold() if not self.fold or self._parts[one.document] == "test"]

    def _keep_test_out(self) -> None:
        """Raise `ConfigError` where texts to be tested on would be trained on."""
        if read_about(self._path).split == "test" and not self.folds:
            raise ConfigError(
                [f"{self.folder} labels texts of the test split: train on them with data.folds=5 alone"]
            )
