"""Sign in at the organisation's own provider: OpenID Connect's code flow with PKCE.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth. Authlib keeps state, nonce and
verifier in the signed session, reads the provider's addresses and keys, and checks the identity
token's signature, nonce and times; issuer and audience must be those configured. Only this module
knows Authlib, which is installed where it is wanted: `pip install manifiesta[oidc]`.
"""

from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import Request
from fastapi.responses import Response
from joserfc.errors import JoseError
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from configs.sign_on import SignOn
from models.errors import InputError
from pipelines.accounts import let_in
from pipelines.store.users import User


class Provider:
    """The organisation's provider, as this installation asks it."""

    def __init__(self, known: SignOn) -> None:
        self._known = known
        self._client = OAuth().register(
            "oidc",
            client_id=known.client_id,
            client_secret=known.client_secret,
            server_metadata_url=known.discovery,
            client_kwargs={"scope": known.scope, "code_challenge_method": "S256", "timeout": 10},
        )

    async def lead(self, request: Request, back: str) -> Response:
        """Send the browser to the provider; it comes back to an address of ours.

        Raises:
            InputError: the provider does not answer, or is another.
        """
        try:
            await self._check()
            answer: Response = await self._client.authorize_redirect(request, back)
        except (httpx2.HTTPError, OAuthError, RuntimeError, ValueError) as error:
            raise InputError(f"The provider {self._known.issuer} can't be used: {error}") from error
        return answer

    async def receive(self, request: Request, engine: Engine) -> User:
        """Return the user who came back, added or with a new role where need be.

        Raises:
            InputError: it is nobody whom the provider sent here just now, or nobody with a role.
        """
        claims_options = {
            "iss": {"essential": True, "value": self._known.issuer},
            "aud": {"essential": True, "value": self._known.client_id},
        }
        try:
            await self._check()
            token = await self._client.authorize_access_token(
                request, claims_options=claims_options
            )
        except (httpx2.HTTPError, OAuthError, JoseError, RuntimeError, ValueError) as error:
            raise InputError(f"{type(error).__name__}: {error}") from error
        claims = token.get("userinfo")
        if not claims:
            raise InputError("the provider sent no identity token")
        return await run_in_threadpool(self._let_in, engine, claims)

    async def _check(self) -> None:
        """Refuse a provider that says it is another (OpenID Connect Discovery 1.0, 4.3)."""
        metadata = await self._client.load_server_metadata()
        if metadata.get("issuer") != self._known.issuer:
            raise ValueError(f"it calls itself {metadata.get('issuer')}")

    def _let_in(self, engine: Engine, claims: Mapping[str, Any]) -> User:
        groups = claims.get(self._known.roles_claim, [])
        role = self._known.role_of([groups] if isinstance(groups, str) else map(str, groups))
        name = str(claims.get(self._known.name_claim, ""))
        if role is None:
            raise InputError(f"{name}: none of the groups {groups} has a role here")
        return let_in(engine, name, role, f"{claims['iss']} {claims['sub']}")
