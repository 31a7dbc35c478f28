"""Summarization: bullets in the house's style from a long document, each figure found in the source.

A model selects the sentences that matter, a second one writes the bullets from them, and a checker holds
each bullet against a house style, which is a file, and each figure and name against the document. What fails
is written again, cut back to what passes, replaced by a source sentence or dropped, and marked; a document
that no summary can be made of gets an abstention with its reason.

Data: ECTSum (transcripts of earnings calls with bullets of Reuters; GPL-3.0), documents of your own as JSON
lines, and an invented sample corpus. Answer: bullets, each with the sentences it rests on. Metric:
ROUGE-Lsum, with figure and style scores beside it.
"""
