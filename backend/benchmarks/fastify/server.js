// A peer: Fastify with pg, as their documentation recommends. Schemas check what comes in and write what goes
// out, statements are prepared by name, and verified tokens are remembered as ours does. Tenants are kept apart by the
// WHERE. With OUR_SQL, it searches and counts by the same SQL as ours.
import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import jwt from '@fastify/jwt'
import pg from 'pg'

const { DATABASE_URL, BETTER_AUTH_SECRET, BETTER_AUTH_URL, MAX_TASKS_PER_USER, API_PORT } = process.env
const { REMEMBERED_TOKENS, REMEMBERED_FOR, OUR_SQL } = process.env

// As JavaScript's Date a time would lose its microseconds.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => {
  const time = `${text.slice(0, 10)}T${text.slice(11, -3)}`
  return `${time.length === 19 ? `${time}.000000` : time.padEnd(26, '0')}Z`
})

const [, role, database, query] = /^postgresql:\/\/([^@]*)@\/([^?]*)\?(.*)$/.exec(DATABASE_URL)
const pool = new pg.Pool({
  host: new URLSearchParams(query).get('host'), user: role, database, max: 10, options: '-c timezone=UTC'
})

const app = Fastify({ logger: false })
await app.register(jwt, {
  secret: BETTER_AUTH_SECRET,
  verify: {
    algorithms: ['HS256'],
    allowedIss: BETTER_AUTH_URL,
    allowedAud: BETTER_AUTH_URL,
    cache: Number(REMEMBERED_TOKENS),
    cacheTTL: Number(REMEMBERED_FOR) * 1000
  }
})

const names = new Map()
function run (text, values) {
  let name = names.get(text)
  if (name === undefined) names.set(text, name = `statement_${names.size}`)
  return pool.query({ name, text, values })
}

const nullable = { type: ['string', 'null'] }
const text = { type: 'string' }
const task = {
  type: 'object',
  properties: {
    id: text, userId: text, title: text, description: nullable, status: text, completed: { type: 'boolean' },
    completedAt: nullable, priority: text, category: text, dueDate: nullable, version: { type: 'integer' },
    createdAt: text, updatedAt: text
  }
}
const status = { type: 'string', enum: ['pending', 'completed'] }
const priority = { type: 'string', enum: ['low', 'medium', 'high'] }
const title = { type: 'string', minLength: 1, maxLength: 255 }
const description = { type: ['string', 'null'], maxLength: 10_000 }
const category = { type: 'string', minLength: 1, maxLength: 50 }
const dueDate = { anyOf: [{ type: 'string', format: 'date' }, { type: 'string', format: 'date-time' }, { type: 'null' }] }
const params = { type: 'object', properties: { user_id: text, task_id: { type: 'string', format: 'uuid' } } }
const querystring = {
  type: 'object',
  additionalProperties: false,
  properties: {
    status,
    priority,
    category,
    search: { type: 'string', maxLength: 200 },
    sort_by: { type: 'string', enum: ['createdAt', 'updatedAt', 'dueDate', 'priority', 'title'], default: 'createdAt' },
    sort_order: { type: 'string', enum: ['asc', 'desc'], default: 'desc' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 }
  }
}
const created = {
  type: 'object',
  required: ['title'],
  properties: {
    title,
    description: { ...description, default: null },
    priority: { ...priority, default: 'medium' },
    category: { ...category, default: 'other' },
    dueDate: { ...dueDate, default: null }
  }
}
const patched = {
  type: 'object', additionalProperties: false, properties: { title, description, priority, category, dueDate, status }
}

const COLUMNS = `"id", "userId", "title", "description", "status", "completedAt", "priority", "category", "dueDate",
  "dueAllDay", "version", "createdAt", "updatedAt"`
// The SQL of ours: conditions and an order that its indexes have, and two counts, each from an index alone.
const CONTAINS = `(strpos(lower("title"), lower(? COLLATE "pg_c_utf8")) > 0
  OR strpos(lower("description"), lower(? COLLATE "pg_c_utf8")) > 0)`
const DUE_ASCENDING = `least("dueDate", 'infinity'::timestamptz)`
const COUNTS = `SELECT total, pending, total - pending AS completed, overdue FROM (
  SELECT (SELECT count(*) FROM tasks WHERE "userId" = $1)::integer AS total, count(*)::integer AS pending,
         (count(*) FILTER (WHERE CASE WHEN "dueAllDay" THEN "dueDate" < date_trunc('day', now(), 'UTC')
                                      ELSE "dueDate" <= now() END))::integer AS overdue
    FROM tasks WHERE "userId" = $1 AND "completedAt" IS NULL) AS counted`

const MINE = 'WHERE "userId" = $1 AND "id" = $2'

function read (row) {
  row.completed = row.status === 'completed'
  if (row.dueAllDay) row.dueDate = row.dueDate.slice(0, 10)
  return row
}

function one (reply, rows) {
  if (rows.length === 0) return reply.code(404).send({ detail: 'Task not found' })
  return reply.header('etag', `"${rows[0].version}"`).send(read(rows[0]))
}

function uuid7 () {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = (bytes[6] & 0x0f) | 0x70
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const isDay = (due) => due != null && due.length === 10

await app.register(async (routes) => {
  routes.addHook('onRequest', async (request, reply) => {
    try {
      await request.jwtVerify()
    } catch {
      return reply.code(401).send({ detail: 'Not signed in' })
    }
    const { user_id: userId } = request.params
    if (userId !== 'me' && userId !== request.user.sub) return reply.code(403).send({ detail: 'Not the caller' })
  })

  routes.get('/tasks', {
    schema: { params, querystring, response: { 200: { type: 'array', items: task } } }
  }, async (request) => {
    const { status, priority, category, search, sort_by: sortBy, sort_order: order, limit } = request.query
    const values = [request.user.sub]
    const where = ['"userId" = $1']
    const add = (condition, value) => where.push(condition.replaceAll('?', `$${values.push(value)}`))
    if (status && OUR_SQL) where.push(`"completedAt" IS ${status === 'pending' ? '' : 'NOT '}NULL`)
    else if (status) add('"status" = ?', status)
    if (priority) add('"priority" = ?', priority)
    if (category) add('"category" = ?', category)
    for (const word of search?.split(/\s+/).filter(Boolean) ?? []) {
      if (OUR_SQL) add(CONTAINS, word)
      else add('("title" ILIKE ? OR "description" ILIKE ?)', `%${word.replace(/[\\%_]/g, '\\$&')}%`)
    }
    let key = sortBy === 'title' ? `lower("title") ${order}` : `"${sortBy}" ${order}`
    if (sortBy === 'dueDate') key = OUR_SQL && order === 'asc' ? DUE_ASCENDING : `${key} NULLS LAST`
    const { rows } = await run(
      `SELECT ${COLUMNS} FROM tasks WHERE ${where.join(' AND ')}
       ORDER BY ${key}, "id" ${order} LIMIT $${values.push(limit)}`, values)
    rows.forEach(read)
    return rows
  })

  routes.post('/tasks', {
    schema: { params, body: created, response: { 201: task } }
  }, async (request, reply) => {
    const { title, description, priority, category, dueDate } = request.body
    const userId = request.user.sub
    const { rows } = await run(
      `INSERT INTO tasks ("userId", "id", "title", "description", "priority", "category", "dueDate", "dueAllDay")
       SELECT $1, $2, $3, $4, $5::task_priority, $6, $7::timestamptz, $8::boolean
        WHERE (SELECT count(*) FROM tasks WHERE "userId" = $1) < $9 RETURNING ${COLUMNS}`,
      [userId, uuid7(), title.trim(), description, priority, category.trim().toLowerCase(), dueDate, isDay(dueDate),
        MAX_TASKS_PER_USER])
    if (rows.length === 0) return reply.code(409).send({ detail: 'Too many tasks' })
    reply.code(201).header('location', `/api/${userId}/tasks/${rows[0].id}`)
    return one(reply, rows)
  })

  routes.get('/tasks/:task_id', { schema: { params, response: { 200: task } } }, async (request, reply) => {
    const { rows } = await run(`SELECT ${COLUMNS} FROM tasks ${MINE}`, [request.user.sub, request.params.task_id])
    return one(reply, rows)
  })

  routes.patch('/tasks/:task_id', {
    schema: { params, body: patched, response: { 200: task } }
  }, async (request, reply) => {
    const values = [request.user.sub, request.params.task_id]
    const sets = ['"version" = "version" + 1', '"updatedAt" = now()']
    const set = (column, value) => sets.push(`"${column}" = $${values.push(value)}`)
    for (const [member, value] of Object.entries(request.body)) {
      set(member, value)
      if (member === 'dueDate') set('dueAllDay', isDay(value))
      if (member === 'status') sets.push(`"completedAt" = ${value === 'completed' ? 'now()' : 'NULL'}`)
    }
    const { rows } = await run(`UPDATE tasks SET ${sets.join(', ')} ${MINE} RETURNING ${COLUMNS}`, values)
    return one(reply, rows)
  })

  routes.patch('/tasks/:task_id/complete', {
    schema: { params, response: { 200: task } }
  }, async (request, reply) => {
    const { rows } = await run(
      `UPDATE tasks SET "version" = "version" + 1, "updatedAt" = now(),
              "status" = CASE "status" WHEN 'pending' THEN 'completed' ELSE 'pending' END::task_status,
              "completedAt" = CASE "status" WHEN 'pending' THEN now() END
        ${MINE} RETURNING ${COLUMNS}`, [request.user.sub, request.params.task_id])
    return one(reply, rows)
  })

  const count = { type: 'integer' }
  routes.get('/stats', {
    schema: {
      params,
      response: { 200: { type: 'object', properties: { total: count, pending: count, completed: count, overdue: count } } }
    }
  }, async (request) => {
    const { rows } = await run(OUR_SQL ? COUNTS
      : `SELECT count(*)::integer AS total,
              (count(*) FILTER (WHERE "status" = 'pending'))::integer AS pending,
              (count(*) FILTER (WHERE "status" = 'completed'))::integer AS completed,
              (count(*) FILTER (WHERE "status" = 'pending' AND
                "dueDate" + CASE WHEN "dueAllDay" THEN interval '24 hours' ELSE interval '0' END <= now()))::integer
                AS overdue
         FROM tasks WHERE "userId" = $1`, [request.user.sub])
    return rows[0]
  })
}, { prefix: '/api/:user_id' })

await app.listen({ host: '127.0.0.1', port: Number(API_PORT) })
