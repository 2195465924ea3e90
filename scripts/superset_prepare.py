#!/usr/bin/env python3
"""Prepares Superset for the plant's dashboard; scripts/superset-serve.sh runs it with Superset's Python.

superset_prepare.py check              exits with 0 if the database of TFI_DATABASE can be reached and has the views
superset_prepare.py bundle FOLDER ZIP  packs the bundle, with the database and the schema of the environment
superset_prepare.py user NAME          creates the administrator, or gives it the password of TFI_SUPERSET_PASSWORD
superset_prepare.py user NAME ZIP      the same, and replaces the objects of an earlier bundle; `superset
                                       import-dashboards` would keep the database, the datasets and the charts

Environment: TFI_DATABASE (a PostgreSQL URI), TFI_SCHEMA (default: workshop).
"""

import os
import re
import sys
import zipfile
from pathlib import Path

# The schema that the files of the bundle name.
BUNDLE_SCHEMA = "workshop"
# A table that the datasets read beside the views, and which older schemas don't have.
NEWEST_TABLE = "settled_day"


def fail(message, status):
    print(f"superset: {message}", file=sys.stderr)
    sys.exit(status)


def database_uri():
    uri = os.environ.get("TFI_DATABASE", "")
    if not re.match(r"postgres(ql)?://", uri):
        fail("TFI_DATABASE must be the database as a URI, such as postgresql://user@host/plant", 64)
    return uri


def quoted(identifier):
    return '"' + identifier.replace('"', '""') + '"'


def schema_name():
    schema = os.environ.get("TFI_SCHEMA") or BUNDLE_SCHEMA
    # The name is written into YAML, SQL and templates.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", schema):
        fail(f"the schema {schema!r} can't be used: Superset needs one of letters, digits and _", 64)
    return schema


def check():
    import psycopg2

    schema = schema_name()
    try:
        connection = psycopg2.connect(database_uri(), connect_timeout=10)
    except psycopg2.Error as error:
        fail(f"the database can't be reached; check TFI_DATABASE, or run ./control-env.sh start: {error}".strip(), 69)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{quoted(schema)}.{NEWEST_TABLE}",))
        if not cursor.fetchone()[0]:
            fail(f"the schema {schema} is missing or old: run ./control-env.sh consumer init, or check TFI_SCHEMA", 78)
    connection.close()


def adapted(name, text):
    """A file of the bundle, with the database and the schema of the environment."""
    schema = schema_name()
    if name.startswith("databases/"):
        # SQLAlchemy knows the scheme by one name only.
        uri = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", database_uri())
        # In single quotes YAML knows one escape: the quote itself.
        line = "sqlalchemy_uri: '" + uri.replace("'", "''") + "'"
        return re.sub(r"^sqlalchemy_uri: .*$", lambda _: line, text, flags=re.MULTILINE)
    if name.startswith("datasets/") and schema != BUNDLE_SCHEMA:
        text = text.replace(f"schema: {BUNDLE_SCHEMA}\n", f"schema: '{schema}'\n")
        return text.replace(f"{BUNDLE_SCHEMA}.", f"{quoted(schema)}.")
    return text


def bundle(folder, archive):
    folder = Path(folder)
    if not (folder / "metadata.yaml").is_file():
        fail(f"{folder} is not a bundle: it has no metadata.yaml", 66)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*.yaml")):
            name = path.relative_to(folder).as_posix()
            # Superset expects one folder at the top.
            target.writestr(f"plant/{name}", adapted(name, path.read_text(encoding="utf-8")))


def user(name, archive=None):
    from superset.app import create_app

    password = os.environ["TFI_SUPERSET_PASSWORD"]
    with create_app().app_context():
        from superset import security_manager

        known = security_manager.find_user(name)
        if known:
            security_manager.reset_password(known.id, password)
        elif not security_manager.add_user(
            name, "Plant", "Administrator", f"{name}@localhost", security_manager.find_role("Admin"), password=password
        ):
            fail(f"the user {name} can't be created; the log says why", 70)
        if archive:
            replace(archive, security_manager.find_user(name))


def replace(archive, owner):
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.commands.importers.v1.utils import get_contents_from_bundle
    from superset.utils.core import override_user

    with zipfile.ZipFile(archive) as source:
        contents = get_contents_from_bundle(source)
    contents["metadata.yaml"] = contents["metadata.yaml"].replace("type: Dashboard", "type: assets")
    with override_user(owner):
        ImportAssetsCommand(contents).run()


def main(arguments):
    match arguments:
        case ["check"]:
            check()
        case ["bundle", folder, archive]:
            bundle(folder, archive)
        case ["user", name] | ["user", name, _]:
            user(name, *arguments[2:])
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(64)


if __name__ == "__main__":
    main(sys.argv[1:])
