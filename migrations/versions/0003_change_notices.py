"""Tells every gateway on the channel `langroute_changes` what it must read anew.

    catalogue               providers, routes, targets or prices
    key:<digest>            one virtual key; the digest is in hexadecimal
    credential:<owner>      the credentials of one virtual key, or of every one: `*`
    everything              a table was emptied

Postgres sends a notice when the transaction commits, and sends equal ones of a transaction once.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CATALOGUE = ("providers", "routes", "route_targets", "prices")

_FUNCTIONS = (
    """
    create function langroute.tell_change() returns trigger
    language plpgsql as $$
    begin
        perform pg_notify('langroute_changes', tg_argv[0]);
        return null;
    end
    $$
    """,
    """
    create function langroute.tell_key() returns trigger
    language plpgsql as $$
    begin
        if tg_op <> 'INSERT' then
            perform pg_notify('langroute_changes', 'key:' || encode(old.digest, 'hex'));
        end if;
        if tg_op <> 'DELETE' then
            perform pg_notify('langroute_changes', 'key:' || encode(new.digest, 'hex'));
        end if;
        return null;
    end
    $$
    """,
    """
    create function langroute.tell_credential() returns trigger
    language plpgsql as $$
    begin
        if tg_op <> 'INSERT' then
            perform pg_notify('langroute_changes', 'credential:' || coalesce(old.owner::text, '*'));
        end if;
        if tg_op <> 'DELETE' then
            perform pg_notify('langroute_changes', 'credential:' || coalesce(new.owner::text, '*'));
        end if;
        return null;
    end
    $$
    """,
)

# A key's totals change with every batch of the ledger, and no gateway reads them.
_KEYS_CONFIGURATION = (
    "id, name, digest, hint, requests_per_minute, tokens_per_minute, allowed_models, "
    "created_at, expires_at, revoked_at"
)
_TRIGGERS = (
    *(
        f"""
        create trigger tell_change after insert or update or delete on langroute.{table}
        for each statement execute function langroute.tell_change('catalogue')
        """
        for table in _CATALOGUE
    ),
    f"""
    create trigger tell_key
    after insert or delete or update of {_KEYS_CONFIGURATION} on langroute.virtual_keys
    for each row execute function langroute.tell_key()
    """,
    """
    create trigger tell_credential
    after insert or update or delete on langroute.provider_credentials
    for each row execute function langroute.tell_credential()
    """,
    *(
        f"""
        create trigger tell_truncate after truncate on langroute.{table}
        for each statement execute function langroute.tell_change('everything')
        """
        for table in (*_CATALOGUE, "virtual_keys", "provider_credentials")
    ),
)

_DOWN = (
    "drop function langroute.tell_change() cascade",
    "drop function langroute.tell_key() cascade",
    "drop function langroute.tell_credential() cascade",
)


def upgrade() -> None:
    for statement in (*_FUNCTIONS, *_TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
