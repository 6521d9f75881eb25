"""The peer: Django admin as `startproject` sets it up; equal models, columns, page size, language."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import django
from django.apps import AppConfig
from django.conf import settings

from tests.bench.firms import firms
from tests.bench.measure import Pages

COLUMNS = ("name", "code", "legal_person", "phone", "address", "state")
STOCK = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")
MIDDLEWARE = (
    "middleware.security.SecurityMiddleware", "contrib.sessions.middleware.SessionMiddleware",
    "middleware.common.CommonMiddleware", "middleware.csrf.CsrfViewMiddleware",
    "contrib.auth.middleware.AuthenticationMiddleware", "contrib.messages.middleware.MessageMiddleware",
    "middleware.clickjacking.XFrameOptionsMiddleware",
)  # fmt: skip
PROCESSORS = ("template.context_processors.request", "contrib.auth.context_processors.auth",
              "contrib.messages.context_processors.messages")  # fmt: skip
_wanted: list[int] = []


class PeerConfig(AppConfig):
    """The peer's models: two that matter and others up to the number of screens wanted."""

    name = "tests.bench.peer_django"
    label = "peer"
    default_auto_field = "django.db.models.AutoField"

    def import_models(self) -> None:
        """Declare the models; admin classes come with `urls`."""
        define(_wanted[0])
        super().import_models()
        self.models_module = self.module  # without one, `migrate` would make no tables


def define(views: int) -> None:
    """All models of the peer."""
    from django.db import models

    def text(length: int, **options: Any) -> Any:
        return models.CharField(max_length=length, **options)

    class Area(models.Model):
        name = text(60)

        def __str__(self) -> str:
            return str(self.name)

    class Enterprise(models.Model):
        name, code, org_form = text(120), text(18, unique=True, null=True), text(20, null=True)
        legal_person, phone, address, state = text(60), text(30, null=True), text(200), text(20)
        note = models.TextField(null=True, blank=True)  # noqa: DJ001 - as our column is
        office = models.ForeignKey(Area, on_delete=models.PROTECT)

        def __str__(self) -> str:
            return str(self.name)

    class Site(models.Model):  # noqa: DJ008 - never shown
        enterprise = models.ForeignKey(Enterprise, on_delete=models.PROTECT)
        area = models.ForeignKey(Area, on_delete=models.PROTECT, null=True)
        name, address, kind, lines = text(120), text(200), text(30), models.IntegerField(default=0)
        risk_grade, state, licence_kind, licence_no = text(1), text(20), text(30), text(40)
        licence_until = models.DateField(null=True)

    for number in range(views - 5):  # users and groups are screens too
        type(f"Thing{number}", (models.Model,), {"__module__": __name__, "name": text(120)})


def configure(folder: str, views: int) -> None:
    """Settings and models; a process does this once."""
    _wanted[:] = [views]
    settings.configure(
        SECRET_KEY="bench", DEBUG=False, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "django.db")}},
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in STOCK), f"{__name__}.PeerConfig"],
        MIDDLEWARE=[f"django.{name}" for name in MIDDLEWARE],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                    "OPTIONS": {"context_processors": [f"django.{name}" for name in PROCESSORS]}}],
        STATIC_URL="/static/", LANGUAGE_CODE="zh-hans", TIME_ZONE="Asia/Shanghai", USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )  # fmt: skip
    django.setup()


def routes() -> list[Any]:
    """Every model in the admin: what `urls.py` and `admin.py` of a project hold."""
    from django.apps import apps
    from django.contrib import admin
    from django.urls import path

    named = {"list_display": COLUMNS, "list_per_page": 25, "list_filter": ("state", "org_form"),
             "search_fields": ("name", "code")}  # fmt: skip
    for model in apps.get_app_config("peer").get_models():
        mine = named if model.__name__ == "Enterprise" else {}
        admin.site.register(model, type(f"{model.__name__}Admin", (admin.ModelAdmin,), dict(mine)))
    return [path("admin/", admin.site.urls)]


def __getattr__(name: str) -> Any:
    """`urlpatterns`, for ROOT_URLCONF: routes exist once the models do."""
    if name != "urlpatterns":
        raise AttributeError(name)
    globals()["urlpatterns"] = routes()
    return globals()["urlpatterns"]


class Django(Pages):
    """Django admin's pages as its superuser sees them."""

    paths: ClassVar = {
        "list": "/admin/peer/enterprise/",
        "form": "/admin/peer/site/add/",
        "search": "/admin/peer/enterprise/?q=面馆",
    }

    def __init__(self, folder: str, rows: int, views: int) -> None:
        configure(folder, views)
        from django.apps import apps
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.db import connection
        from django.test import Client

        call_command("migrate", run_syncdb=True, verbosity=0)
        area, firm = apps.get_model("peer", "Area"), apps.get_model("peer", "Enterprise")
        area.objects.bulk_create([area(id=n, name=f"所{n}") for n in range(1, 17)])
        firm.objects.bulk_create([firm(office_id=1, **one) for one in firms(rows)], batch_size=2000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("admin"))

    def ready(self) -> dict[str, int]:
        """What stands."""
        from django.apps import apps

        side = self.get(self.paths["list"]).decode().partition('id="nav-sidebar"')[2].partition("</nav>")[0]
        return {"rows": apps.get_model("peer", "Enterprise").objects.count(), "views": side.count('<th scope="row"')}

    def get(self, path: str) -> bytes:
        """A page."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return bytes(answer.content)

    def asset(self, url: str) -> bytes:
        """A static file: the web server's work, not the test client's."""
        from django.contrib.staticfiles import finders

        if url.startswith("/admin/"):
            return self.get(url)
        found = finders.find(url.removeprefix("/static/"))
        assert found is not None, url
        return Path(found).read_bytes()

    def statements(self, path: str) -> list[str]:
        """What one request asks the database."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as heard:
            self.get(path)
        return [one["sql"] for one in heard.captured_queries]
