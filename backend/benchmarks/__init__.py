"""`make bench`: how fast the service is compared with what people would use instead.

__main__.py   the command
data.py       PostgreSQL with a million tasks, which stay between runs
workloads.py  the requests, and their shares
servers.py    ours and its peers as processes, and the resources they use
load.py       wrk, and its results
agree.py      checks that all servers give the same answers
duel.py       rounds in which each server gets the same load in turn
pgbench.py    the same statements without a server, run by pgbench
greedy.py     what one user notices of another who asks for too much
scale.py      many connections, many rows
plots.py      a picture of the growth
report.py     tables, results.json, docs/performance.md
textbook/     a peer: FastAPI with SQLModel's AsyncSession
fastify/      a peer: Fastify with pg; like textbook/, it can run with our SQL for search and stats
tokens.py     a separate benchmark of token verification
"""
