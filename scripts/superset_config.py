"""Superset's settings for the plant's dashboard. scripts/superset-serve.sh creates the folder and the key."""

import os
from pathlib import Path

# Superset reads these settings after most of its own.
from superset.config import TALISMAN_CONFIG

home = Path(os.environ["SUPERSET_HOME"])

# Signs the sessions, and encrypts the passwords of databases.
SECRET_KEY = (home / "secret_key").read_text(encoding="ascii").strip()

# Superset's own data: dashboards, users and settings.
SQLALCHEMY_DATABASE_URI = f"sqlite:///{home / 'superset.db'}?check_same_thread=false"

# The datasets are templates: they read the day that the dashboard's filter names.
FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}

# One process serves everything, so its memory can count the attempts to log in.
RATELIMIT_STORAGE_URI = "memory://"

# Superset's pages load a picture from a counter on the Internet. Browsers may not load it.
policy = TALISMAN_CONFIG["content_security_policy"]
policy["img-src"] = [source for source in policy["img-src"] if "scarf" not in source]
