"""`make chaos`: nothing acknowledged is lost, nothing is done twice, whatever breaks.

__main__.py   the command
world.py      PostgreSQL, PgBouncer and two processes of the service, to be broken
faults.py     what breaks, one after the other
clients.py    users who write, and repeat what was not acknowledged
ledger.py     what was acknowledged, compared with what the database holds
"""
