"""Every sentence that is not in a template: labels, sentences of errors, and here the catalogues of translations.

Rules and the database know codes only; this package says them in the language of the person who reads.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask
from flask_babel import Babel, Domain, format_decimal, get_locale, gettext

LANGUAGES = (("en", "English"), ("ru", "Русский"))
"""The languages we speak, each by its own name."""
CATALOGUES = Path(__file__).parents[1] / "translations"


class PoDomain(Domain):
    """Reads the `.po` files themselves at first use, so that no compiled file can be stale or missing."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the present language; an empty one for English, which is the source."""
        locale = str(get_locale() or "")
        if locale not in self.cache:
            self.cache[locale] = _catalogue(CATALOGUES / locale / "LC_MESSAGES" / "messages.po")
        translations: NullTranslations = self.cache[locale]
        return translations


def _catalogue(path: Path) -> NullTranslations:
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    return Translations(compiled)


def init(app: Flask) -> None:
    """Give the application its languages; who reads, and where, is told by `app.blueprints.web`."""
    babel = Babel()
    babel.domain_instance = PoDomain()
    babel.init_app(app)
    app.jinja_env.filters.update(size=size_mb)


def size_mb(megabytes: int) -> str:
    """A size of memory or disk in the unit that reads best: "512 MB", "4 GB", "1.5 GB", with a no-break space."""
    if megabytes < 1024:
        return gettext("%(number)s\xa0MB", number=format_decimal(megabytes))
    return gettext("%(number)s\xa0GB", number=format_decimal(round(megabytes / 1024, 1)))
