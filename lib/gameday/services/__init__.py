"""
The services that tell people, as a game day has them: chat, status page, pager, mail, tickets.

Ours, on loopback, with the wire of the real ones: Slack's Web API, Statuspage v1, Events v2, SMTP, Jira's and GitHub's
issues. They check what they are sent as those do, refuse a wrong credential, slow down who asks too often, and can be
made to fail (`faults`). `page` shows what people would see.
"""
