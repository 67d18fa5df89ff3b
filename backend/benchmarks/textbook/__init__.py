"""A peer: FastAPI with SQLModel's AsyncSession, as their documentation recommends.

Entities are read through a session for each request, changed and committed; response models write the answers; the
token is checked by a dependency. Tenants are kept apart by the WHERE clause.
"""
