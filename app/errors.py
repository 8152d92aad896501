"""One error class for everything a person may be told. It carries a code, no prose: `app.texts` has the sentences."""


class AppError(Exception):
    """Something was refused for a reason that the person can understand.

    `code` names the sentence in `app.texts`, `params` fill it, `status` is the HTTP status of an answer that shows
    it, `field` names the form field that it belongs to, if any.
    """

    def __init__(self, code: str, status: int = 409, *, field: str | None = None, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.status = status
        self.field = field
        self.params = params


class NotFoundError(AppError):
    """The object does not exist, or it is another customer's: one answer for both, so that ids cannot be probed."""

    def __init__(self) -> None:
        super().__init__("not_found", 404)
