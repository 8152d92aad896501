"""Pages. This file is the list of them; each is one module with its forms on top and its views below."""

from flask import Flask
from flask_babel import get_babel

from app.blueprints import (
    api,
    auth,
    brand,
    changes,
    console,
    dashboard,
    filters,
    frame,
    health,
    networks,
    operations,
    preferences,
    staff,
    staff_drift,
    staff_errors,
    staff_operations,
    staff_sync,
    tokens,
    vms,
    web,
)
from app.blueprints import vm_change as _vm_change  # noqa: F401  the views of these belong to the blueprint of `vms`
from app.blueprints import vm_create as _vm_create  # noqa: F401
from app.blueprints import vm_delete as _vm_delete  # noqa: F401
from app.blueprints import vm_disks as _vm_disks  # noqa: F401
from app.blueprints import vm_network as _vm_network  # noqa: F401
from app.blueprints import vm_refresh as _vm_refresh  # noqa: F401
from app.blueprints import vm_resize as _vm_resize  # noqa: F401
from app.blueprints import vm_several as _vm_several  # noqa: F401
from app.texts import LANGUAGES
from app.texts.errors import error_text


def register(app: Flask) -> None:
    """Give the application its pages and the templates what they share."""
    babel = get_babel(app)
    babel.locale_selector = preferences.locale
    babel.timezone_selector = preferences.timezone
    filters.init(app)
    app.before_request(web.refuse_unreadable)
    for module in (
        api,
        auth,
        brand,
        changes,
        console,
        dashboard,
        health,
        networks,
        operations,
        staff,
        staff_drift,
        staff_errors,
        staff_operations,
        staff_sync,
        tokens,
        vms,
    ):
        app.register_blueprint(module.bp)
    app.context_processor(
        lambda: {"locale": preferences.locale(), "theme": preferences.theme(), "brand": brand.brand()}
    )
    app.jinja_env.globals.update(
        back=web.back,
        form_token=web.form_token,
        frame=frame.frame,
        here=web.here,
        is_fragment=False,
        is_staff=web.is_staff,
        languages=LANGUAGES,
        request_id=web.request_id,
        sentence=error_text,
        themes=frame.THEMES,
    )
