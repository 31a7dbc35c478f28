"""What a language model is asked: the form's templates, with labelled examples like the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from shared.errors import ConfigError
from shared.labelling.contracts import Form

Messages = list[dict[str, str]]


class Prompter:
    """Makes the messages of a request; `pool` holds the labelled examples it may show."""

    def __init__(self, form: Form, pool: Sequence[Any]) -> None:
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        self.form, self.pool = form, list(pool)
        try:
            self.system = environment.from_string(form.prompt.system).render(labels=form.labels())
            self.ask = environment.from_string(form.prompt.ask)
        except TemplateError as error:
            raise ConfigError([f"form.prompt.system is no template: {error}"]) from error
        self.likeness = _Likeness([example.text for example in pool]) if pool else None

    def messages(self, example: Any) -> Messages:
        """Return the conversation: what is wanted, examples with their answers, the text."""
        found: Messages = [{"role": "system", "content": self.system}]
        for shot in self._shots(example):
            reply = self.form.written(shot, shot.gold())
            found += [
                _said("user", self._asked(shot)),
                _said("assistant", json.dumps(reply, ensure_ascii=False)),
            ]
        return [*found, _said("user", self._asked(example))]

    def _shots(self, example: Any) -> list[Any]:
        """Return the examples most like the text, the likest last; never the text itself."""
        if self.likeness is None:
            return []
        order = self.likeness.order(example.text)
        others = [self.pool[place] for place in order if self.pool[place].text != example.text]
        return others[: self.form.prompt.shots][::-1]

    def _asked(self, example: Any) -> str:
        try:
            return self.ask.render(**self.form.shown(example))
        except TemplateError as error:
            raise ConfigError([f"form.prompt.ask: {error}"]) from error


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


class _Likeness:
    """Cosine of TF-IDF vectors over words and pairs of words."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
        self.vectors = self.vectorizer.fit_transform(texts)

    def order(self, text: str) -> list[int]:
        """Return the places of the texts, the likest first."""
        scores = np.asarray((self.vectors @ self.vectorizer.transform([text]).T).todense()).ravel()
        found: list[int] = np.argsort(-scores, kind="stable").tolist()
        return found
