"""Anomaly spotting: how odd a text is beside what is normal here, whether that is an alarm, and why.

A model learns what normal texts of one team read like, single ones or windows of log lines, and where some
oddities are labelled, what they have in common. A text's score is then its distance from what is normal; its
p-value, from normal texts that were held out, turns the score into an alarm at a promised rate.

Data: BGL and Thunderbird (log lines of two supercomputers; the Loghub licence: research or academic work),
SMS spam (short messages, spam is the anomaly; own terms, free with citation), CLINC150 (queries out of scope
are the anomaly; CC BY 3.0), lines and tables of your own, and an invented sample corpus. Answer: a score, a
p-value, an alarm or none, and its reasons. Metric: average precision.
"""
