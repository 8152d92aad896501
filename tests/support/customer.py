"""A customer of a live panel who speaks HTTP and has no browser: reads forms, fills them, sends them."""

from urllib.parse import urljoin

import requests
from lxml import html


class Customer:
    """Signed in with a demo login; `url` is the panel's address."""

    def __init__(self, url: str, email: str = "owner@acme.example", password: str = "demo") -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self.send("/sign-in", "/sign-in", email=email, password=password)

    def get(self, path: str) -> requests.Response:
        """One page."""
        return self._session.get(urljoin(self._url, path), timeout=30)

    def send(self, page: str, action: str, **values: str) -> requests.Response:
        """Fill the form of `page` that goes to `action` and send it; redirects are followed."""
        return self.post(action, self.filled(page, action, **values))

    def filled(self, page: str, action: str, **values: str) -> dict[str, str]:
        """The fields of a form of `page`, with hidden ones and the given values."""
        tree = html.fromstring(self.get(page).text)
        form = next(form for form in tree.forms if str(form.get("action", "")).startswith(action))
        fields: dict[str, str] = dict(form.form_values())
        return fields | values

    def post(self, action: str, values: dict[str, str]) -> requests.Response:
        """Send values as they are."""
        answer = self._session.post(urljoin(self._url, action), data=values, timeout=30)
        assert answer.status_code < 400, f"{action}: {answer.status_code}\n{answer.text}"
        return answer

    def token(self, name: str) -> str:
        """A new token with which a program may change things."""
        page = html.fromstring(self.send("/tokens", "/tokens", name=name, scope="change", days="7").text)
        return str(page.cssselect("main code")[0].text_content())

    def create(self, name: str) -> str:
        """Ask for the smallest server of the first template; returns the address of the operation's page."""
        return self.send("/vms/new", "/vms/new", vm_name=name).url
