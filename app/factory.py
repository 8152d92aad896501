"""Puts the panel together: one function, a list of set-up steps."""

import secrets
from datetime import datetime

from flask import Flask, Response, g, render_template
from flask_login import LoginManager
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from app import blueprints, cli, clock, db, jobs, logs, sealing, texts
from app.blueprints import api, web
from app.blueprints.api.problems import unless_api
from app.errors import AppError
from config import Config

csrf = CSRFProtect()


def create_app(config: Config) -> Flask:
    """The panel as a WSGI application, also the context of workers and commands."""
    app = Flask(__name__)
    app.extensions["skiff_config"] = config
    _set_up_cookies(app, config)
    logs.init(app)
    db.init(app, config.database_url)
    sealing.init(app, config.sealing_keys)
    jobs.init(app, config.redis_url)
    texts.init(app)
    _set_up_requests(app, config)  # first, so that whatever refuses a request can name it
    csrf.init_app(app)
    csrf.exempt(api.bp)  # a token in a header is nothing that a browser sends by itself
    _set_up_sign_in(app)
    blueprints.register(app)
    _set_up_error_pages(app)
    cli.init(app)
    return app


def _set_up_cookies(app: Flask, config: Config) -> None:
    app.config.update(
        SECRET_KEY=config.session_key,
        SESSION_COOKIE_NAME="__Host-skiff" if config.secure else "skiff",
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # The form token lives as long as the session: a page left open over lunch must still be usable.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        PREFERRED_URL_SCHEME="https" if config.secure else "http",
    )
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def _set_up_sign_in(app: Flask) -> None:
    manager = LoginManager()
    manager.login_view = "auth.sign_in"
    manager.login_message = None
    manager.session_protection = None  # sessions live on the server; a changed address alone must not end them
    manager.user_loader(web.load_user)
    # Templates ask for the person themselves: an error page must not need the database only to be drawn.
    manager.init_app(app, add_context_processor=False)


def _set_up_requests(app: Flask, config: Config) -> None:
    @app.before_request
    def name_request() -> None:
        g.request_id = request_id(clock.now())

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", web.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if config.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response


def request_id(at: datetime) -> str:
    """An id that a customer can read out to support, for example rq-20261112-1420-8c1f."""
    return f"rq-{at:%Y%m%d-%H%M}-{secrets.token_hex(4)}"


def _set_up_error_pages(app: Flask) -> None:
    """Every refusal is a page in plain words, or a problem in JSON; nobody ever sees a traceback."""

    @app.errorhandler(AppError)
    @unless_api
    def refused(error: AppError) -> tuple[str, int]:
        if error.status == 404:
            return render_template("errors/404.html"), 404
        page = "429" if error.status == 429 else "409"
        return render_template(f"errors/{page}.html", error=error), error.status

    @app.errorhandler(CSRFError)
    def form_too_old(_error: CSRFError) -> tuple[str, int]:
        return render_template("errors/400.html"), 400

    @app.errorhandler(HTTPException)
    @unless_api
    def http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
        code = error.code or 500
        if code < 400:
            return error  # a redirect, not a failure
        page = code if code in (400, 403, 404, 409, 429, 503) else (500 if code >= 500 else 400)
        return render_template(f"errors/{page}.html"), code

    @app.errorhandler(OperationalError)
    @unless_api
    def database_away(error: OperationalError) -> tuple[str, int]:
        app.logger.error("the database does not answer: %s", type(error).__name__)
        return render_template("errors/503.html"), 503

    @app.errorhandler(Exception)
    @unless_api
    def broken(error: Exception) -> tuple[str, int]:
        app.logger.error("unexpected error", exc_info=error)
        return render_template("errors/500.html"), 500
