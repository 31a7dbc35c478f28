"""Financial named entities: which people, companies and places a text speaks of, as spans of characters.

Data: FiNER-ORD (financial news; CC BY-NC 4.0, so what is trained on it is not for commercial use), WNUT17
(user text; CC BY 4.0), CoNLL and JSONL files of your own, and an invented sample corpus. Answer: spans with
both ends, a label and a probability. Metric: strict entity F1, where a span counts only if both ends and its
label are right.
"""
