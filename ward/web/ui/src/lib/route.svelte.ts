/** Pages by the address's hash: `#/`, `#/stay/ID`, `#/devices`, `#/password/CODE` (a hash is never sent anywhere). */

export type Route = { page: "board" } | { page: "stay"; id: string } | { page: "devices" } | { page: "password"; code: string };

export function parseRoute(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, "").split("/");
  if (page === "stay" && id) return { page: "stay", id: decodeURIComponent(id) };
  if (page === "password") return { page: "password", code: decodeURIComponent(id ?? "") };
  return page === "devices" ? { page: "devices" } : { page: "board" };
}

export function stayHref(id: string): string {
  return `#/stay/${encodeURIComponent(id)}`;
}

let route = $state.raw(parseRoute(location.hash));
addEventListener("hashchange", () => {
  route = parseRoute(location.hash);
  scrollTo(0, 0);
});

export function currentRoute(): Route {
  return route;
}
