"""Reads a page as a person would: every page that a test opens is checked for what all pages must have."""

import re
from collections.abc import Mapping

import lxml.html
from flask.testing import FlaskClient
from lxml.html import FormElement, HtmlElement
from werkzeug.test import TestResponse

from app.accounts.rules import Actor
from tests.support.cast import PASSWORD, email_of


class Page:
    """A page that was opened in a client. `check=False` is for live parts, which are no whole page."""

    def __init__(self, client: FlaskClient, response: TestResponse, *, check: bool = True) -> None:
        self.client = client
        self.response = response
        self.status = response.status_code
        self.root: HtmlElement = lxml.html.document_fromstring(response.text)
        if check:
            self._check()

    @property
    def title(self) -> str:
        """The text of <title>."""
        return self.texts("head > title")[0]

    @property
    def h1(self) -> str:
        """The text of the one main heading."""
        return self.texts("h1")[0]

    @property
    def text(self) -> str:
        """Everything that can be read in the main part, with single spaces."""
        return _words(self.root.cssselect("main")[0])

    @property
    def errors(self) -> list[str]:
        """The sentences at the fields."""
        return self.texts(".sk-err")

    def texts(self, selector: str) -> list[str]:
        """The texts of what a CSS selector finds."""
        return [_words(element) for element in self.root.cssselect(selector)]

    def links(self) -> dict[str, str]:
        """Text to address of every link in the main part; of equal texts the first."""
        found: dict[str, str] = {}
        for link in self.root.cssselect("main a[href]"):
            found.setdefault(_words(link) or link.get("aria-label", ""), link.get("href", ""))
        return found

    def form(self, action: str) -> FormElement:
        """The form that sends to this address, by itself or by one of its buttons."""
        forms = [form for form in self.root.forms if form.get("action", "").split("?")[0] == action]
        forms += [form for form in self.root.forms if form.cssselect(f"button[formaction='{action}']")]
        assert forms, f"no form sends to {action}, only {[form.get('action') for form in self.root.forms]}"
        return forms[0]

    def send(self, action: str, **values: str) -> TestResponse:
        """Fill the form that sends to this address and send it, with its hidden fields."""
        form = self.form(action)
        data: dict[str, str] = {str(name): str(value) for name, value in form.form_values()}
        address = action if form.cssselect(f"button[formaction='{action}']") else form.get("action", "")
        if (form.get("method") or "get").lower() == "get":
            return self.client.get(address, query_string={**data, **values})
        return self.client.post(address, data={**data, **values})

    def _check(self) -> None:
        assert len(self.root.cssselect("h1")) == 1, "a page has one h1"
        begin = re.sub(r"^(Problem:|Ошибка:) ", "", self.title)
        assert begin.startswith(self.h1), f"the title {self.title!r} begins with the h1 {self.h1!r}"
        assert self.root.get("lang") in ("en", "ru"), "a page says its language"
        ids = [element.get("id") for element in self.root.cssselect("[id]")]
        assert len(ids) == len(set(ids)), f"ids are unique: {[i for i in ids if ids.count(i) > 1]}"
        for form in self.root.cssselect("form"):
            assert form.get("action"), "each form says where it sends to"
            if form.get("method") == "post":
                assert form.cssselect("input[name=csrf_token]"), "each POST form carries its token"
        assert not self.root.cssselect("[style], style"), "no inline style"
        assert not self.root.cssselect("script:not([src])"), "no inline script"
        handlers = [name for element in self.root.iter() for name in element.attrib if str(name).startswith("on")]
        assert not handlers, "no inline handlers"
        self._check_labels(set(ids))
        assert "Content-Security-Policy" in self.response.headers

    def _check_labels(self, ids: set[str | None]) -> None:
        for field in self.root.cssselect("input:not([type=hidden]), select, textarea"):
            labelled = self.root.cssselect(f"label[for='{field.get('id')}']") if field.get("id") else []
            wrapped = any(parent.tag == "label" for parent in field.iterancestors())
            assert labelled or wrapped or field.get("aria-label"), f"{field.get('name')} has a label"
        for element in self.root.cssselect("[aria-describedby]"):
            for name in element.get("aria-describedby", "").split():
                assert name in ids, f"aria-describedby names {name}, which is not there"
        for button in self.root.cssselect("button, summary, a[href]"):
            pictures = " ".join(image.get("alt", "") for image in button.cssselect("img"))
            assert _words(button) or button.get("aria-label") or pictures.strip(), "each control says what it does"


def _words(element: HtmlElement) -> str:
    return " ".join(element.text_content().replace("\xa0", " ").split())


def open_page(client: FlaskClient, path: str, *, status: int = 200, query: Mapping[str, str] | None = None) -> Page:
    """Open an address and read the page that comes, of the status that is expected."""
    response = client.get(path, query_string=query)
    assert response.status_code == status, f"{path} answered {response.status_code}: {response.headers.get('Location')}"
    return Page(client, response)


def open_part(client: FlaskClient, path: str) -> Page:
    """Open a live part alone."""
    response = client.get(path, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return Page(client, response, check=False)


def sign_in(client: FlaskClient, actor: Actor, *, path: str = "/sign-in") -> TestResponse:
    """Sign in through the page, as the person would."""
    return open_page(client, path).send("/sign-in", email=email_of(actor), password=PASSWORD)
