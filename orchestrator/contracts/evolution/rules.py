"""Every rule about a change of an OpenAPI document: its name, its level, what it says.

Names and levels are those of oasdiff (https://github.com/oasdiff/oasdiff, seen at 4553c69), so that who knows these
finds them again; where our level is another, `OTHER_LEVELS` says why. Rules of ours fill gaps between theirs.
A change for which the table has no rule is not told. A test holds each rule against an example.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from orchestrator.model.contracts import Level

_LEVELS: Final = {"E": Level.ERROR, "W": Level.WARNING, "I": Level.INFO}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule.

    Attributes:
        id: Its name.
        level: How much it weighs here.
        theirs: How much it weighs for oasdiff; None: oasdiff has no such rule.
        subject: What it is about: `a parameter`.
        says: What has happened to that: `is gone`.
    """

    id: str
    level: Level
    theirs: Level | None
    subject: str
    says: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of oasdiff that is not told here.

    Attributes:
        id: Its name.
        theirs: How much it weighs for oasdiff.
        why: Why it is not told.
    """

    id: str
    theirs: Level
    why: str


# Beginning of the name → what such rules are about. The order is that of the columns below.
SUBJECTS: Final = {
    "request-body": "the request body",
    "request-property": "a property of a request body",
    "request-read-only-property": "a read-only property of a request body",
    "request-parameter": "a parameter",
    "request-parameter-property": "a property of a parameter",
    "response-body": "a response body",
    "response-property": "a property of a response body",
    "response-write-only-property": "a write-only property of a response body",
    "response-header": "a response header",
}

# E, W, I: oasdiff's level; e, w, i: a rule of ours, and its level; -: no rule.
# The columns: request body, its property, its read-only property, parameter, its property, response body, its
# property, its write-only property, response header.
_OF_SCHEMAS: Final = """
type-generalized              I I - I I E E - E | takes values of more types or formats
type-specialized              - - - - E I I - I | takes values of fewer types or formats
type-changed                  E E - E W E E - E | has another type or format
type-compatible               I I - - - I I - I | has another type, which looks the same as text
list-of-types-widened         I I - I I E E - - | has more types to choose from
list-of-types-narrowed        E E - E E I I - - | has fewer types to choose from
became-nullable               I I - I I E E - E | may be null now
became-not-nullable           E E - E E I I - I | may not be null any more
became-enum                   E E - E e - - - - | may only be one of a few values now
enum-opened                   i i - i i w w - - | is not one of a few values any more
enum-value-added              i I - I I w W I - | may be another value as well
enum-value-removed            E E I E E - I - - | may not be a certain value any more
x-extensible-enum-value-removed - E - E - - - - - | may not be a certain value of the extensible list any more
const-added                   E E - e e I I - - | is only one certain value now
const-removed                 I I - i i E E - - | is not only one certain value any more
const-changed                 E E - e e E E - - | is only one certain value, and another one now
default-value-added           I I - E - I I - - | has a default now
default-value-removed         I I - E - I I - - | has no default any more
default-value-changed         I I - E - I I - - | has another default
pattern-added                 e E - E - i I - - | has to match a pattern now
pattern-removed               i I - I - i I - - | has to match no pattern any more
pattern-changed               w W - W - i I - - | has to match another pattern
pattern-generalized           i I - I - - - - - | has to match a pattern that everything matches
min-set                       W W - W - - - - - | has a minimum now
min-increased                 E E I E - - - - - | has a higher minimum
min-decreased                 I I - I - E E - - | has a lower minimum
min-unset                     i i - i - e e - - | has no minimum any more
max-set                       W W - W - - - - - | has a maximum now
max-increased                 I I - I - E E - - | has a higher maximum
max-decreased                 E E I E - - - - - | has a lower maximum
max-unset                     i i - i - e e - - | has no maximum any more
exclusive-min-set             W W - W - - - - - | has to be above a value now
exclusive-min-increased       E E I E - - - - - | has to be above a higher value
exclusive-min-decreased       I I - I - E E - - | has to be above a lower value
exclusive-min-unset           i i - i - e e - - | has to be above no value any more
exclusive-max-set             W W - W - - - - - | has to be below a value now
exclusive-max-increased       I I - I - E E - - | has to be below a higher value
exclusive-max-decreased       E E I E - - - - - | has to be below a lower value
exclusive-max-unset           i i - i - e e - - | has to be below no value any more
min-length-increased          E E - E - - - - - | has to be longer
min-length-decreased          I I - I - E E - - | may be shorter
max-length-set                W W - W - - - - - | has a longest length now
max-length-increased          I I - I - E E - - | may be longer
max-length-decreased          E E I E - - - - - | has to be shorter
max-length-unset              i i - i - E E - - | has no longest length any more
min-items-increased           E E - E - - - - - | has to have more items
min-items-decreased           i i - I - E E - - | may have fewer items
max-items-set                 w w - w - - - - - | has a largest number of items now
max-items-increased           i i - I - e e - - | may have more items
max-items-decreased           e e - E - - - - - | has to have fewer items
max-items-unset               i i - i - e e - - | has no largest number of items any more
min-properties-increased      e e - - - - - - - | has to have more properties
min-properties-decreased      i i - - - e e - - | may have fewer properties
max-properties-set            w w - - - - - - - | has a largest number of properties now
max-properties-increased      i i - - - e e - - | may have more properties
max-properties-decreased      e e - - - - - - - | has to have fewer properties
max-properties-unset          i i - - - e e - - | has no largest number of properties any more
multiple-of-set               w w - w - - - - - | has to be a multiple of a number now
multiple-of-changed           w w - w - w w - - | has to be a multiple of another number
multiple-of-unset             i i - i - w w - - | has to be a multiple of no number any more
unique-items-set              e e - e - - - - - | may not have equal items any more
unique-items-unset            i i - i - w w - - | may have equal items now
additional-properties-denied  e e - - - - - - - | may not have other properties any more
additional-properties-allowed i i - - - i i - - | may have other properties now
one-of-added                  I I - - - E E - - | may be another kind of value as well (`oneOf`)
one-of-removed                E E - - - I I - - | may not be a certain kind of value any more (`oneOf`)
any-of-added                  I I - - - I I - - | may be another kind of value as well (`anyOf`)
any-of-removed                E E - - - I I - - | may not be a certain kind of value any more (`anyOf`)
wrapped-in-one-of             E - - - - E - - - | is one of several kinds of objects now, and was one object
discriminator-added           I I - - - I I - - | has a discriminator now
discriminator-removed         I I - - - I I - - | has no discriminator any more
discriminator-property-name-changed I I - - - I I - - | has another property as its discriminator
discriminator-mapping-added   I I - - - I I - - | has another value of its discriminator
discriminator-mapping-deleted I I - - - I I - - | has a value of its discriminator less
discriminator-mapping-changed I I - - - I I - - | has another schema for a value of its discriminator
prefix-items-added            I I - - - E E - - | has another item of its own schema (`prefixItems`)
prefix-items-removed          E E - - - I I - - | has an item of its own schema less (`prefixItems`)
if-added                      E E - - - I I - - | has a condition now (`if`)
if-removed                    I I - - - E E - - | has no condition any more (`if`)
then-added                    E E - - - I I - - | has to be more where its condition holds (`then`)
then-removed                  I I - - - E E - - | has to be less where its condition holds (`then`)
else-added                    E E - - - I I - - | has to be more where its condition does not hold (`else`)
else-removed                  I I - - - E E - - | has to be less where its condition does not hold (`else`)
contains-added                E E - - - I I - - | has to have certain items now (`contains`)
contains-removed              I I - - - E E - - | does not have to have certain items any more (`contains`)
min-contains-increased        E E - - - I I - - | has to have more of certain items
min-contains-decreased        I I - - - E E - - | may have fewer of certain items
max-contains-increased        I I - - - E E - - | may have more of certain items
max-contains-decreased        E E - - - I I - - | has to have fewer of certain items
dependent-required-added      E E - - - I I - - | has to have certain properties beside a property
dependent-required-removed    I I - - - E E - - | does not have to have certain properties beside a property any more
dependent-required-changed    E E - - - E E - - | has to have other properties beside a property
dependent-schema-added        E E - - - I I - - | has to be more where it has a certain property
dependent-schema-removed      I I - - - E E - - | has to be less where it has a certain property
pattern-property-added        E E - - - I I - - | has a schema for properties whose names match a pattern
pattern-property-removed      I I - - - E E - - | has no schema any more for properties whose names match a pattern
property-names-added          E E - - - I I - - | has a schema for the names of its properties
property-names-removed        I I - - - E E - - | has no schema for the names of its properties any more
unevaluated-items-added       E E - - - I I - - | has a schema for all other items
unevaluated-items-removed     I I - - - E E - - | has no schema for all other items any more
unevaluated-properties-added  E E - - - I I - - | has a schema for all other properties
unevaluated-properties-removed I I - - - E E - - | has no schema for all other properties any more
content-schema-added          E E - - - I I - - | has a schema for what its text holds
content-schema-removed        I I - - - E E - - | has no schema for what its text holds any more
content-media-type-changed    E E - - - E E - - | holds text of another media type
content-encoding-changed      E E - - - E E - - | holds text of another encoding
became-required               - E - - - - I I - | is required now
became-required-with-default  - E - - - - - - - | is required now, though it has a default
became-optional               - I - - - - E I - | is optional now
deprecated                    - I - I - - I - - | is deprecated
deprecated-with-sunset        - I - - - - I - - | is deprecated and has a sunset date
deprecated-sunset-invalid     - E - - - - E - - | is deprecated, and its sunset date is no date
sunset-date-too-small         - E - E - - E - - | is deprecated, and its sunset date has passed already
reactivated                   - I - I - - I - - | is not deprecated any more
"""

# One rule a line: name, level, what it is about | what it says.
_OTHERS: Final = """
endpoint-added I an operation | is new
endpoint-deprecated I an operation | is deprecated
endpoint-deprecated-with-sunset I an operation | is deprecated and has a sunset date
endpoint-reactivated I an operation | is not deprecated any more
api-deprecated-sunset-parse E an operation | is deprecated, and its sunset date is no date
api-sunset-date-too-small E an operation | is deprecated, and its sunset date has passed already
sunset-deleted E an operation | is deprecated and has no sunset date any more
api-sunset-date-changed-too-small E an operation | has an earlier sunset date, which has passed already
api-path-removed-without-deprecation E an operation | is gone with its path, and was not deprecated
api-path-removed-with-deprecation I an operation | is gone with its path, and was deprecated
api-path-removed-before-sunset E an operation | is gone with its path before its sunset date
api-path-sunset-parse E an operation | has or had a sunset date that is no date
api-removed-without-deprecation E an operation | is gone, and was not deprecated
api-removed-with-deprecation I an operation | is gone, and was deprecated
api-removed-before-sunset E an operation | is gone before its sunset date
api-operation-id-added I an operation | has an operation id now
api-operation-id-removed I an operation | has another operation id, or none
api-tag-added I an operation | has another tag
api-tag-removed I an operation | has a tag less
api-security-added I an operation | has a security requirement more
api-security-removed I an operation | has a security requirement less
api-security-scope-added I an operation | needs another scope
api-security-scope-removed I an operation | needs a scope less
api-global-security-added I the API | has a security requirement more
api-global-security-removed I the API | has a security requirement less
api-global-security-scope-added I the API | needs another scope
api-global-security-scope-removed I the API | needs a scope less
api-security-component-added I a security scheme | is new
api-security-component-removed I a security scheme | is gone
api-security-component-type-changed I a security scheme | is of another type
api-security-component-oauth-url-changed I a security scheme | has another authorization URL
api-security-component-oauth-token-url-changed I a security scheme | has another token URL
api-security-component-oauth-scope-added I a security scheme | has another scope
api-security-component-oauth-scope-removed I a security scheme | has a scope less
api-security-component-oauth-scope-changed I a security scheme | describes a scope in other words
webhook-added I a webhook | is new
webhook-removed E a webhook | is gone
new-required-request-parameter E a parameter | is new and required
new-optional-request-parameter I a parameter | is new and optional
request-parameter-removed W a parameter | is gone, and was not deprecated
request-parameter-removed-with-deprecation I a parameter | is gone, and was deprecated
request-parameter-removed-before-sunset E a parameter | is gone before its sunset date
request-parameter-sunset-parse E a parameter | has or had a sunset date that is no date
request-parameter-became-required E a parameter | is required now
request-parameter-became-optional I a parameter | is optional now
request-parameter-sunset-deleted E a parameter | is deprecated and has no sunset date any more
request-parameter-sunset-date-changed-too-small E a parameter | has an earlier sunset date, which has passed already
request-parameter-serialization-changed e a parameter | is written in another way (`style`, `explode`)
new-required-request-header-property E a property of a header | is new and required
request-header-property-became-enum E a property of a header | may only be one of a few values now
request-header-property-became-required E a property of a header | is required now
request-body-added-required E the request body | is new and required
request-body-added-optional I the request body | is new and optional
request-body-removed E the request body | is gone
request-body-became-required E the request body | is required now
request-body-became-optional I the request body | is optional now
request-body-media-type-added I the request body | may have another media type as well
request-body-media-type-removed E the request body | may not have a certain media type any more
request-body-media-type-schema-added E the request body | has a schema now
request-body-media-type-schema-removed I the request body | has no schema any more
request-property-removed W a property of a request body | is gone
new-required-request-property E a property of a request body | is new and required
new-required-request-property-with-default E a property of a request body | is new and required, though it has a default
new-optional-request-property I a property of a request body | is new and optional
request-optional-property-became-read-only I an optional property of a request body | is read-only now
request-optional-property-became-not-read-only I an optional property of a request body | is not read-only any more
request-optional-property-became-write-only I an optional property of a request body | is write-only now
request-optional-property-became-not-write-only I an optional property of a request body | is not write-only any more
request-required-property-became-read-only I a required property of a request body | is read-only now
request-required-property-became-not-read-only I a required property of a request body | is not read-only any more
request-required-property-became-write-only I a required property of a request body | is write-only now
request-required-property-became-not-write-only I a required property of a request body | is not write-only any more
response-success-status-added I a response | is new
response-success-status-removed E a response | is gone
response-non-success-status-added I a response that tells of no success | is new
response-non-success-status-removed I a response that tells of no success | is gone
response-media-type-added I a response body | may have another media type as well
response-media-type-removed E a response body | may not have a certain media type any more
response-media-type-name-changed I a response body | has other parameters of its media type
response-media-type-name-generalized E a response body | has a more general media type
response-media-type-name-specialized I a response body | has a more special media type
response-body-media-type-schema-added I a response body | has a schema now
response-body-media-type-schema-removed W a response body | has no schema any more
response-mediatype-enum-value-removed I a response body | may not be a certain value any more
response-header-added I a response header | is new
required-response-header-removed E a required response header | is gone
optional-response-header-removed W an optional response header | is gone
response-header-became-optional E a response header | is optional now
response-required-property-added I a required property of a response body | is new
response-required-property-removed E a required property of a response body | is gone
response-required-write-only-property-added I a required write-only property of a response body | is new
response-required-write-only-property-removed I a required write-only property of a response body | is gone
response-optional-property-added I an optional property of a response body | is new
response-optional-property-removed W an optional property of a response body | is gone
response-optional-write-only-property-added I an optional write-only property of a response body | is new
response-optional-write-only-property-removed I an optional write-only property of a response body | is gone
response-optional-property-became-read-only I an optional property of a response body | is read-only now
response-optional-property-became-not-read-only I an optional property of a response body | is not read-only any more
response-optional-property-became-write-only I an optional property of a response body | is write-only now
response-optional-property-became-not-write-only I an optional property of a response body | is not write-only any more
response-required-property-became-read-only I a required property of a response body | is read-only now
response-required-property-became-not-read-only I a required property of a response body | is not read-only any more
response-required-property-became-write-only I a required property of a response body | is write-only now
response-required-property-became-not-write-only W a required property of a response body | is not write-only any more
"""

_SCOPE: Final = "for oasdiff it breaks nobody, but tokens may not have the scope"
_USERS_BREAK: Final = "for oasdiff it breaks nobody, but who used it as it was is refused now"
_ANY_OF: Final = "for oasdiff it breaks nobody, but consumers get what they do not know, as with `oneOf`"
_DISCRIMINATOR: Final = "for oasdiff it breaks nobody, but who reads or writes the old one is wrong now"

# Name → our level, and why it is not oasdiff's.
OTHER_LEVELS: Final[dict[str, tuple[Level, str]]] = {
    "api-security-added": (Level.WARNING, "for oasdiff it breaks nobody, but an operation may have been open before"),
    "api-security-removed": (Level.WARNING, _USERS_BREAK),
    "api-security-scope-added": (Level.WARNING, _SCOPE),
    "api-global-security-added": (Level.WARNING, "for oasdiff it breaks nobody, but the API may have been open before"),
    "api-global-security-removed": (Level.WARNING, _USERS_BREAK),
    "api-global-security-scope-added": (
        Level.WARNING,
        "for oasdiff it breaks nobody, but tokens may not have the scope",
    ),
    "api-security-component-type-changed": (Level.WARNING, _USERS_BREAK),
    "api-security-component-oauth-scope-removed": (Level.WARNING, _USERS_BREAK),
    "request-body-discriminator-property-name-changed": (Level.WARNING, _DISCRIMINATOR),
    "request-property-discriminator-property-name-changed": (Level.WARNING, _DISCRIMINATOR),
    "request-body-discriminator-mapping-deleted": (Level.WARNING, _DISCRIMINATOR),
    "request-property-discriminator-mapping-deleted": (Level.WARNING, _DISCRIMINATOR),
    "response-body-discriminator-property-name-changed": (Level.WARNING, _DISCRIMINATOR),
    "response-property-discriminator-property-name-changed": (Level.WARNING, _DISCRIMINATOR),
    "response-body-any-of-added": (Level.ERROR, _ANY_OF),
    "response-property-any-of-added": (Level.ERROR, _ANY_OF),
}

# Why | name and level of each rule that is refused for this reason.
_REFUSED: Final = """
`info.version` says nothing of what the API does | api-version-not-bumped I, api-version-decreased I, \
api-major-version-not-bumped I
`x-stability-level` is an extension of oasdiff's | api-stability-decreased E, api-stability-increased I, \
api-invalid-stability-level E, request-property-stability-decreased E, request-property-stability-increased I, \
response-property-stability-decreased E, response-property-stability-increased I
no setting says how many days before the sunset a deprecation is due; without one oasdiff does not tell it either \
| api-deprecated-sunset-missing E, request-parameter-deprecated-sunset-missing E, \
request-property-deprecated-sunset-missing E, response-property-deprecated-sunset-missing E
no `minItems` is one of 0, and oasdiff has it so: `…-min-items-increased`, `…-min-items-decreased` tell it \
| request-body-min-items-set W, request-property-min-items-set W, request-parameter-min-items-set W, \
response-body-min-items-unset E, response-property-min-items-unset E
a schema under `components` is but a name: what uses it is compared | api-schema-removed I
a path with another parameter is another path, and told as such | new-request-path-parameter E
parameters of a path are those of its operations: `new-required-request-parameter`, `new-optional-request-parameter` \
| new-required-request-default-parameter-to-existing-path E, new-optional-request-default-parameter-to-existing-path I
`allOf` is merged: what a part of it adds or takes away is told as such | request-body-all-of-added E, \
request-body-all-of-removed W, request-property-all-of-added E, request-property-all-of-removed W, \
request-body-all-of-added-annotation-only I, request-body-all-of-removed-annotation-only I, \
request-property-all-of-added-annotation-only I, request-property-all-of-removed-annotation-only I, \
response-body-all-of-added I, response-body-all-of-removed I, response-property-all-of-added I, \
response-property-all-of-removed I, response-body-all-of-added-annotation-only I, \
response-body-all-of-removed-annotation-only I, response-property-all-of-added-annotation-only I, \
response-property-all-of-removed-annotation-only I
"""


def _of_schemas() -> Iterator[Rule]:
    for line in _OF_SCHEMAS.strip().splitlines():
        columns, _, says = line.partition("|")
        aspect, *marks = columns.split()
        for (prefix, subject), mark in zip(SUBJECTS.items(), marks, strict=True):
            if mark != "-":
                yield _rule(f"{prefix}-{aspect}", mark, subject, says.strip())


def _others() -> Iterator[Rule]:
    for line in _OTHERS.strip().splitlines():
        about, _, says = line.partition("|")
        name, mark, subject = about.split(maxsplit=2)
        yield _rule(name, mark, subject.strip(), says.strip())


def _rule(name: str, mark: str, subject: str, says: str) -> Rule:
    theirs = _LEVELS.get(mark)
    level, _ = OTHER_LEVELS.get(name, (_LEVELS[mark.upper()], ""))
    return Rule(id=name, level=level, theirs=theirs, subject=subject, says=says)


def _refused() -> Iterator[Refused]:
    for line in _REFUSED.strip().splitlines():
        why, _, names = line.partition("|")
        for named in names.split(","):
            name, mark = named.split()
            yield Refused(id=name, theirs=_LEVELS[mark], why=why.strip())


RULES: Final = {rule.id: rule for rule in (*_others(), *_of_schemas())}
REFUSED: Final = {rule.id: rule for rule in _refused()}
