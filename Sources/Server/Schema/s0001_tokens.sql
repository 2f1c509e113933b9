-- Who may use the API.

CREATE TABLE {{schema}}.token (
    -- In the token itself, and in logs: not secret.
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the secret, in hexadecimal digits.
    hash text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by name NOT NULL DEFAULT session_user,
    expires_at timestamptz,
    revoked_at timestamptz,
    -- To the minute.
    last_used_at timestamptz
);
COMMENT ON TABLE {{schema}}.token IS 'Tokens of the HTTP API. They are made by kiln token create: of the secret only the hash is kept.';

-- What requests with an Idempotency-Key have done.
CREATE TABLE {{schema}}.idempotency (
    -- The token's id, or who else asked.
    caller text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    -- SHA-256 of what was asked.
    fingerprint text NOT NULL,
    -- What is needed to give the same answer again.
    result jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_created ON {{schema}}.idempotency (created_at);
