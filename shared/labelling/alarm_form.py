"""Whether a text is off: asked for as yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts import Types
from shared.errors import UserError
from shared.examples import AnomalyExample, AnomalyPrediction
from shared.labelling.contracts import Agreement, Form, Merged, Prompt, Reading, Unreadable, named_types
from shared.labelling.voting import expected, kappa

KIND = "labelled"  # of an anomaly whose sort nobody has named


@dataclass(frozen=True)
class AlarmForm:
    """One question of each text: is it off?"""

    prompt: Prompt
    types: dict[str, Any] = field(default_factory=dict)

    def bind(self, types: Types) -> Form:
        """Return the form."""
        return replace(self, types=dict(types))

    def labels(self) -> list[dict[str, str]]:
        """Return the one thing there is to find."""
        return named_types(self.types)

    def shown(self, example: AnomalyExample) -> dict[str, Any]:
        """Return the text, or the texts of a window one a line."""
        return {"text": example.text}

    def schema(self, example: AnomalyExample) -> dict[str, Any]:
        """Return {"anomalous": true or false}."""
        return {
            "type": "object",
            "properties": {"anomalous": {"type": "boolean"}},
            "required": ["anomalous"],
            "additionalProperties": False,
        }

    def written(self, example: AnomalyExample, prediction: AnomalyPrediction) -> dict[str, Any]:
        """Return whether it is an alarm."""
        return {"anomalous": prediction.alarm}

    def read(self, value: Any, example: AnomalyExample) -> Reading:
        """Return the alarm."""
        said = value.get("anomalous") if isinstance(value, Mapping) else None
        if not isinstance(said, bool):
            raise Unreadable('no "anomalous" with true or false')
        return Reading(AnomalyPrediction(example.id, score=float(said), alarm=said))

    def merge(self, voices: Sequence[AnomalyPrediction], *, lead: AnomalyPrediction | None = None) -> Merged:
        """Return an alarm where more than half say so, or as `lead` does; the score is their share."""
        alarms = sum(voice.alarm for voice in voices)
        alarm = lead.alarm if lead else 2 * alarms > len(voices)
        same = alarms if alarm else len(voices) - alarms
        prediction = AnomalyPrediction(voices[0].id, score=alarms / len(voices), alarm=alarm)
        return Merged(prediction, same / len(voices), 1 - expected(same, len(voices)))

    def editor(self, example: AnomalyExample, prediction: AnomalyPrediction) -> dict[str, Any]:
        """Return the text as one facet with two concepts."""
        facet = {
            "name": "anomalous",
            "label": "Is it off?",
            "kind": "one",
            "options": [{"name": "yes", "label": "off"}, {"name": "no", "label": "normal"}],
            "answered": True,
            "chosen": ["yes" if prediction.alarm else "no"],
            "value": None,
            "probability": None,
        }
        return {"kind": "facets", "text": example.text, "pair": "", "facets": [facet]}

    def edited(self, example: AnomalyExample, value: Any) -> AnomalyPrediction:
        """Return the alarm of {"anomalous": ["yes"] or ["no"]}."""
        said = value.get("anomalous") if isinstance(value, Mapping) else None
        if said not in (["yes"], ["no"]):
            raise UserError(f"anomalous is {said!r}; allowed: yes or no")
        return AnomalyPrediction(example.id, score=float(said == ["yes"]), alarm=said == ["yes"])

    def blank(self, example: AnomalyExample) -> AnomalyExample:
        """Return the example of which nobody has said whether it is off."""
        return replace(example, anomalous=None, kind="")

    def labelled(self, example: AnomalyExample, prediction: AnomalyPrediction) -> AnomalyExample:
        """Return the example as off or normal."""
        return replace(example, anomalous=prediction.alarm, kind=KIND if prediction.alarm else "")

    def agreement(self, pairs: Sequence[tuple[AnomalyPrediction, AnomalyPrediction]]) -> list[Agreement]:
        """Return Cohen's kappa."""
        return [kappa("", [(str(left.alarm), str(right.alarm)) for left, right in pairs])]
