"""How fast the service is, beside what people would pick instead: `make bench`.

__main__.py   the command
data.py       PostgreSQL with a million tasks, kept between runs
workloads.py  what is asked for, and how often
servers.py    ours and its peers as processes, and what they use of the machine
load.py       wrk, and what it found
agree.py      whether ours and its peers give the same answers
duel.py       rounds in which each gets the same load in turn
pgbench.py    the same statements without a server, by pgbench
scale.py      many connections, many rows
plots.py      pictures of that
report.py     tables, results.json, docs/performance.md
textbook/     a peer: FastAPI with SQLModel's AsyncSession
fastify/      a peer: Fastify with pg
tokens.py     another benchmark, of the check of tokens alone
"""
