"""Web pages for civil servants and analysts, over read queries only.

How a page is added:

1. ``dashboard/pages/<name>.py`` holds ``PAGE = Page(name, path, N_("Título"), role)`` and a
   ``router`` whose ``def show(visit: Visiting) -> HTMLResponse`` returns
   ``visit.page("<name>.html.j2", page=PAGE)``.
   A form's POST is a function of the same router; `dashboard.access` checks its CSRF token, which
   the form carries as ``{{ ui.token() }}``, before the function is called.
2. ``dashboard/templates/<name>.html.j2`` extends ``base.html.j2`` and writes every sentence as
   ``{{ _("En español") }}``; words that the report has already are ``{{ t("key") }}``.
3. ``dashboard/locale/en/<name>.po`` gives the English of each sentence; a test names those missing.
4. ``dashboard/app.py`` lists the module in ``PAGES``, in the order of the navigation.

Filters come from the address (`dashboard.filters`), figures from `dashboard.figures` with small
cells hidden, macros for shares, tables and charts from ``_ui.html.j2`` (``ui``) and the report's
``_macros.j2`` (``m``). No inline script or style: the Content-Security-Policy forbids both.
"""
