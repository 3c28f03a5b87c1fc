/** Pages by the address's hash, `#/PAGE/ID`; a hash is never sent anywhere. Which page shows what: `src/pages.ts`. */

export interface Route {
  page: string;
  /** What the page is about: a stay, a rule, a one-time code … Empty where it is about nothing in particular. */
  id: string;
}

export function parseRoute(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, "").split("/");
  return { page: page || "board", id: decoded(id ?? "") };
}

/** An address cut off in the middle of an escape is read as it stands. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

export function href(page: string, id = ""): string {
  return page === "board" ? "#/" : `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}`;
}

export function stayHref(id: string): string {
  return href("stay", id);
}

let route = $state.raw(parseRoute(location.hash));
addEventListener("hashchange", () => {
  route = parseRoute(location.hash);
  scrollTo(0, 0);
});

export function currentRoute(): Route {
  return route;
}
