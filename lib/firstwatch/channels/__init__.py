"""
Where people are told: chat, status page, e-mail, pager, phone, tracker, wiki.

`texts` makes a text from a template and its fields, `lint` looks at it before it leaves, `outbox` keeps it until it has
been delivered. A channel is one file here: it sends a text once, and says how one finds out whether it arrived.
"""
