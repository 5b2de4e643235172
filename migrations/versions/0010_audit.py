"""Who changed what of the configuration: written by triggers, so that no change escapes, whether
it is made over HTTP, from the command line or in psql.

Who it was comes from the setting `langroute.actor` of the transaction, which the gateway's stores
set; without it, it is the role that has logged in.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FUNCTION = """
    create function langroute.write_audit() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
        named constant text[] := string_to_array(tg_argv[1], ',');
        secret constant text[] := string_to_array(tg_argv[2], ',');
        untold constant text[] := string_to_array(tg_argv[3], ',');
        was jsonb;
        became jsonb;
        called text;
        replaced text[] := '{}';
    begin
        if tg_op = 'TRUNCATE' then
            insert into langroute.audit (kind, name, action) values (tg_argv[0], '*', 'emptied');
            return null;
        end if;
        if tg_op <> 'INSERT' then
            was := to_jsonb(old);
        end if;
        if tg_op <> 'DELETE' then
            became := to_jsonb(new);
        end if;
        -- Of the parts of its name, those that it has: a limit is called as whom it limits.
        select string_agg(coalesce(was, became) ->> part, '/' order by place) into called
            from unnest(named) with ordinality as parts (part, place);
        if tg_op = 'UPDATE' then
            replaced := array(
                select each from unnest(secret) as each where was -> each <> became -> each
            );
        end if;
        was := was - secret - untold;
        became := became - secret - untold;
        if was = became and replaced = '{}' then
            return null;
        end if;
        if replaced <> '{}' then
            became := became || jsonb_build_object('replaced', replaced);
        end if;
        insert into langroute.audit (kind, name, action, before, after) values (
            tg_argv[0],
            called,
            case tg_op when 'INSERT' then 'created' when 'DELETE' then 'removed' else 'changed' end,
            was,
            became
        );
        return null;
    end
    $$
"""

_TABLE = (
    """
    create table langroute.audit (
        number bigint generated always as identity primary key,
        at timestamptz not null default clock_timestamp(),
        actor text not null
            default coalesce(nullif(current_setting('langroute.actor', true), ''),
                             'role ' || session_user),
        role text not null default session_user,
        kind text not null,
        name text not null,
        action text not null,
        before jsonb,
        after jsonb,
        reason text
    )
    """,
    "create index audit_at on langroute.audit (at)",
    "create index audit_name on langroute.audit (name, at)",
    """
    comment on table langroute.audit is
    'Every change of the configuration. Rows are added, by triggers, and never changed.'
    """,
    """
    comment on column langroute.audit.actor is
    'Who asked, as the gateway knows them: the setting langroute.actor. Of SQL that was typed by '
    'hand, the role.'
    """,
    "comment on column langroute.audit.role is 'Who had logged in to the database.'",
    """
    comment on column langroute.audit.after is
    'Secrets and their digests are left out; replaced names those that are others than before.'
    """,
    """
    create trigger append_only
    before update or delete or truncate on langroute.audit
    for each statement execute function langroute.refuse_change()
    """,
)


def _watched(
    table: str, kind: str, named: str, *, secret: str = "", untold: str = "", of: str = ""
) -> tuple[str, str]:
    """`named` lists the columns that make up the name of a thing, `secret` those that are only said
    to have been replaced, `untold` those that configure nothing."""
    function = f"langroute.write_audit('{kind}', '{named}', '{secret}', '{untold}')"
    return (
        f"""
        create trigger audit after insert or delete or update {of} on langroute.{table}
        for each row execute function {function}
        """,
        f"""
        create trigger audit_truncate after truncate on langroute.{table}
        for each statement execute function {function}
        """,
    )


# A key's totals change with every batch of the ledger: for those, nothing is asked at all.
_CONFIGURED = """
    select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
    where attrelid = 'langroute.virtual_keys'::regclass
        and attnum > 0 and not attisdropped and attname not like 'total\\_%'
"""
_TOTALS = "total_cost,total_tokens,total_calls"

_WATCHED = (
    *_watched("providers", "provider", "name"),
    *_watched("routes", "route", "model"),
    *_watched("route_targets", "target", "route"),
    *_watched("prices", "price", "provider,model"),
    *_watched("provider_credentials", "credential", "provider", secret="sealed",
              untold="id,updated_at"),
    *_watched("organizations", "organization", "id"),
    *_watched("teams", "team", "id"),
    *_watched("limits", "limit", "organization_id,team_id,key_id", untold="id"),
)  # fmt: skip


def upgrade() -> None:
    for statement in (*_TABLE, _FUNCTION, *_WATCHED):
        op.execute(statement)
    columns = op.get_bind().exec_driver_sql(_CONFIGURED).scalar_one()
    keys = _watched(
        "virtual_keys", "key", "id", secret="digest", untold=_TOTALS, of=f"of {columns}"
    )
    for statement in keys:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function langroute.write_audit() cascade")
    op.execute("drop table langroute.audit")
