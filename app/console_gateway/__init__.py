"""THE SOCKET: the process between the browsers and the cells, `python -m app.console_gateway`.

A browser opens /console/ws/PORT;ID with the id that `app.cloud.console.grant` gave its page. Foreign Origins and
paths are refused with 403 and 404, before anything is looked up. Everybody else is let in and told why he must go: a
browser shows its page nothing of a refused upgrade. Then the gateway opens the cell, answers with the subprotocol that
the cell chose, and passes messages on, whole and as they are. How a console ends (`closing.py`):

| code | meaning |
|---|---|
| of the cell | as it said: 1000, 1001, 1008 ..., its own 4400 to 4599 as 1008 |
| 1009 | a message was too large |
| 1011 | our mistake, or the database is away: rights cannot be checked |
| 1012 | the gateway is started anew: open the console again |
| 4401 | the session is over: sign in |
| 4403 | the right was withdrawn |
| 4404 | the id is unknown, used, too old, or somebody else's: open the console again |
| 4408 | nothing moved for CONSOLE_IDLE_MIN |
| 4410 | the machine is gone |
| 4429 | too many consoles of this account, or in all |
| 4440 | open for CONSOLE_MAX_H |
| 4502 | the cell does not answer |
| 4503 | the cell refuses: most often the ticket was too old |
| 4504 | the line to the cell was lost |
| 4526 | the cell shows a certificate that the handler's settings do not trust |
"""
