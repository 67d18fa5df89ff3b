"""The product: functions over a tenant and typed data. They know nothing of HTTP."""
