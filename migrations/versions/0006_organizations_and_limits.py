"""Organizations, their teams, and what each of them, and each key, may use."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MODELS = (
    "check (coalesce(array_ndims(allowed_models), 1) = 1 "
    "and array_position(allowed_models, null) is null)"
)
_COUNTED = "organization_id, team_id, key_id, measure, window_s, period, zone, model, end_user, tag"
_31_DAYS_S = 31 * 24 * 3600
# Those of 0003, and the team.
_KEYS_CONFIGURATION = (
    "id, name, digest, hint, requests_per_minute, tokens_per_minute, allowed_models, "
    "created_at, expires_at, revoked_at"
)


def _pattern(name: str) -> str:
    stars = f"length({name}) - length(replace({name}, '*', ''))"
    return f"{name} text check ({name} <> '' and {stars} <= 1)"


def _tell_key(columns: str) -> str:
    return f"""
    create trigger tell_key
    after insert or delete or update of {columns} on langroute.virtual_keys
    for each row execute function langroute.tell_key()
    """


_DROP_TELL_KEY = "drop trigger tell_key on langroute.virtual_keys"
_TABLES = ("organizations", "teams", "limits")

_UP = (
    f"""
    create table langroute.organizations (
        id uuid primary key default langroute.new_id(),
        name text not null unique check (name <> ''),
        allowed_models text[] not null default '{{}}' {_MODELS},
        created_at timestamptz not null default now()
    )
    """,
    """
    comment on table langroute.organizations is
    'Who has teams. One that still has any cannot be removed.'
    """,
    """
    comment on column langroute.organizations.allowed_models is
    'Each may hold one *. Empty: every model. A key may use what it, its team and its organization '
    'allow, all three.'
    """,
    f"""
    create table langroute.teams (
        id uuid primary key default langroute.new_id(),
        organization_id uuid references langroute.organizations (id),
        name text not null check (name <> ''),
        allowed_models text[] not null default '{{}}' {_MODELS},
        created_at timestamptz not null default now(),
        constraint teams_organization_name unique nulls not distinct (organization_id, name)
    )
    """,
    """
    comment on table langroute.teams is
    'Who has keys. One that still has any cannot be removed: set their team_id to null first.'
    """,
    "comment on column langroute.teams.organization_id is 'Null: a team of nobody else.'",
    "alter table langroute.virtual_keys add column team_id uuid references langroute.teams (id)",
    "create index virtual_keys_team_id on langroute.virtual_keys (team_id)",
    """
    comment on column langroute.virtual_keys.team_id is
    'Whose limits and allowed models hold, too. Null: a key on its own.'
    """,
    f"""
    create table langroute.limits (
        id bigint generated always as identity primary key,
        organization_id uuid references langroute.organizations (id) on delete cascade,
        team_id uuid references langroute.teams (id) on delete cascade,
        key_id uuid references langroute.virtual_keys (id) on delete cascade,
        measure text not null
            check (measure in ('requests', 'tokens', 'money', 'parallel')),
        amount numeric(30, 12) not null check (amount >= 0 and amount <> 'NaN'),
        window_s bigint check (window_s between 1 and {_31_DAYS_S}),
        period text check (period in ('day', 'week', 'month', 'never')),
        zone text not null default 'UTC'
            check (timezone(zone, timestamptz '2000-01-01 00:00Z') is not null),
        {_pattern("model")},
        {_pattern("end_user")},
        {_pattern("tag")},
        soft boolean not null default false,
        constraint limits_carrier check (num_nonnulls(organization_id, team_id, key_id) = 1),
        constraint limits_window check (num_nonnulls(window_s, period) = 1),
        constraint limits_whole check (measure = 'money' or amount = trunc(amount)),
        constraint limits_parallel
            check (measure <> 'parallel' or period is not distinct from 'never'),
        constraint limits_zone
            check (zone = 'UTC' or coalesce(period in ('day', 'week', 'month'), false)),
        constraint limits_of_a_minute check (not (
            key_id is not null and measure in ('requests', 'tokens')
            and window_s is not distinct from 60
            and num_nonnulls(model, end_user, tag) = 0
        )),
        constraint limits_what_they_count unique nulls not distinct ({_COUNTED})
    )
    """,
    "create index limits_team_id on langroute.limits (team_id)",
    "create index limits_key_id on langroute.limits (key_id)",
    """
    comment on table langroute.limits is
    'How much an organization, a team or a key may use: exactly one of the three. Beside them, a '
    'key has requests_per_minute and tokens_per_minute. A call goes ahead if every limit that '
    'counts it admits it. To change how much is allowed, change amount: what was used stays '
    'counted. One that the gateway cannot read is taken for a limit of no requests at all, with a '
    'warning in its log.'
    """,
    """
    comment on column langroute.limits.measure is
    'requests, tokens (input and output together), money, or parallel: calls at the same time.'
    """,
    """
    comment on column langroute.limits.amount is
    'US dollars for money; whole numbers for the others.'
    """,
    """
    comment on column langroute.limits.window_s is
    'In any so many seconds, whenever they begin. Either this or period.'
    """,
    """
    comment on column langroute.limits.period is
    'A day, a week from Monday on, or a month, of the calendar in zone; never: it does not begin '
    'anew. Parallel calls have never.'
    """,
    """
    comment on column langroute.limits.zone is
    'In which a day, week or month begins at midnight: Europe/Berlin. Named exactly as IANA does.'
    """,
    """
    comment on column langroute.limits.model is
    'Only calls of models that match; may hold one *. All that match are counted together. It is '
    'the name that callers ask for. Null: every call.'
    """,
    """
    comment on column langroute.limits.end_user is
    'Only calls with a user that matches; may hold one *. Each user is counted apart. Null: every '
    'call, users together.'
    """,
    """
    comment on column langroute.limits.tag is
    'Only calls with a tag (x-langroute-tag) that matches; may hold one *. Each tag is counted '
    'apart. Null: every call, tags together.'
    """,
    "comment on column langroute.limits.soft is 'Beyond it, calls are warned and not refused.'",
    _DROP_TELL_KEY,
    _tell_key(f"{_KEYS_CONFIGURATION}, team_id"),
    # `keys`: any key may have become another one.
    *(
        f"""
        create trigger tell_change after insert or update or delete on langroute.{table}
        for each row execute function langroute.tell_change('keys')
        """
        for table in ("organizations", "teams")
    ),
    # A key that is issued with a limit of its own must not make every other one be read anew.
    """
    create function langroute.tell_limit() returns trigger
    language plpgsql as $$
    declare
        carrier uuid;
    begin
        foreach carrier in array case tg_op
            when 'INSERT' then array[new.key_id]
            when 'DELETE' then array[old.key_id]
            else array[old.key_id, new.key_id]
        end loop
            if carrier is null then
                perform pg_notify('langroute_changes', 'keys');
            else
                perform pg_notify('langroute_changes', 'key:' || encode(digest, 'hex'))
                    from langroute.virtual_keys where id = carrier;
            end if;
        end loop;
        return null;
    end
    $$
    """,
    """
    create trigger tell_change after insert or update or delete on langroute.limits
    for each row execute function langroute.tell_limit()
    """,
    *(
        f"""
        create trigger tell_truncate after truncate on langroute.{table}
        for each statement execute function langroute.tell_change('everything')
        """
        for table in _TABLES
    ),
)

_DOWN = (
    _DROP_TELL_KEY,
    _tell_key(_KEYS_CONFIGURATION),
    "drop table langroute.limits",
    "drop function langroute.tell_limit()",
    "alter table langroute.virtual_keys drop column team_id",
    "drop table langroute.teams",
    "drop table langroute.organizations",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
