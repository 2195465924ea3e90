-- The tables for press.yaml.
CREATE TABLE press_event (
    machine  text NOT NULL,
    at       timestamptz NOT NULL,
    shift_at timestamptz,
    weight   numeric NOT NULL,
    trace    text,
    source   bigint NOT NULL,
    rest     jsonb
);

CREATE TABLE machine_state (
    machine text PRIMARY KEY,
    state   text NOT NULL,
    since   timestamptz NOT NULL
);
