"""From a large model's labels to a training set: drafts, how sure they are, decisions, what it cost.

A labelling is a folder (`folder.py`): the texts, the answers that teachers gave, the replies and the money
they took, and what reviewers decided, each a file that can be looked at and is never lost. A teacher is
anything that answers: a server (`server.py`), a bundle of our own, stored replies, a baseline. A form
(`contracts.Form`) says how one kind of answer is asked for, read, put together from several answers, and
edited by hand. Drafts are made of the answers each time they are needed (`drafts.py`); `data=labelled` trains
on them and on the decisions.
"""
