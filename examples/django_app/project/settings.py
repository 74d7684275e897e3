"""The settings; what differs from place to place comes from the environment.

`ROOMS_DATABASE` is the file of the SQLite database, `ROOMS_API_KEY` the key that writing takes: without one nobody
can write.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("ROOMS_SECRET_KEY", "nothing is signed with this")
ROOMS_API_KEY = os.environ.get("ROOMS_API_KEY", "")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = ["bookings"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
APPEND_SLASH = False

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("ROOMS_DATABASE", BASE_DIR / "rooms.sqlite3"),
        # Whoever is going to write says so at once, and waits: two bookings cannot both find a room free.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}

USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
