"""The local web app: the same records and templates as the report, live, and the whole job in it.

It has no logic of its own: a race is started as `python -m forkpoint race`, in a process of its
own, and the run folder is the truth.
"""
