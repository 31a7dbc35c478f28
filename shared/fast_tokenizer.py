"""The tokenizer that heads read texts with: the `tokenizers` library alone, no transformers.

A bundle's `tokenizer.json` is all it needs, so that an exported specialist answers with neither torch nor
transformers, by the very tokens that it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tokenizers import Tokenizer

FILE = "tokenizer.json"


class FastTokenizer:
    """Token ids of texts, without special tokens around them, never cut and never padded.

    `special` names, where a base has them, the tokens before a text, behind it, for padding, for the unknown
    and for the end of what a decoder writes: cls, sep, pad, unk, eos.
    """

    def __init__(self, backend: Tokenizer, *, special: Mapping[str, str]) -> None:
        self._backend, self.special = backend, dict(special)
        self._backend.no_padding()
        self._backend.no_truncation()
        self._special_ids = dict(zip(self.special, self.ids(list(self.special.values())), strict=True))

    @property
    def cls_token_id(self) -> int:
        """The id before a text."""
        return self._special_ids["cls"]

    @property
    def sep_token_id(self) -> int:
        """The id behind a text."""
        return self._special_ids["sep"]

    @property
    def pad_token_id(self) -> int:
        """The id that fills up."""
        return self._special_ids["pad"]

    @property
    def eos_token_id(self) -> int:
        """The id that ends what is written."""
        return self._special_ids["eos"]

    @classmethod
    def of(cls, tokenizer: Any) -> FastTokenizer:
        """Return that of a tokenizer of transformers; it is a copy, as that one may be told to cut or pad."""
        named = {name: getattr(tokenizer, f"{name}_token") for name in ("cls", "sep", "pad", "unk", "eos")}
        special = {name: token for name, token in named.items() if token is not None}
        return cls(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()), special=special)

    @classmethod
    def load(cls, folder: Path, *, special: Mapping[str, str]) -> FastTokenizer:
        """Return that of a folder that has a `tokenizer.json`."""
        return cls(Tokenizer.from_file(str(folder / FILE)), special=special)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of whole tokens, such as `[CLS]`; raises `KeyError` for one that is not known."""
        found = []
        for token in tokens:
            if (id := self._backend.token_to_id(token)) is None:
                raise KeyError(token)
            found.append(id)
        return found

    def encode(self, text: str) -> list[int]:
        """Return the text's token ids."""
        ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of the ids, without its special tokens."""
        text: str = self._backend.decode(list(ids), skip_special_tokens=True)
        return text

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        return [found.ids for found in self._backend.encode_batch(list(texts), add_special_tokens=False)]

    def encode_words(self, texts: Sequence[Sequence[str]]) -> list[list[list[int]]]:
        """Return for each text, given as words, the token ids of each word; some words have none."""
        encodings = self._backend.encode_batch(
            [list(words) for words in texts], is_pretokenized=True, add_special_tokens=False
        )
        pieces: list[list[list[int]]] = [[[] for _ in words] for words in texts]
        for found, encoding in zip(pieces, encodings, strict=True):
            for token, word in zip(encoding.ids, cast(list[int], encoding.word_ids), strict=True):
                found[word].append(token)
        return pieces
