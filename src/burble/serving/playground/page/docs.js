// The routes and their fields, from the description that the server gives of itself.

import { ask } from "./api.js";
import { find, make, say } from "./dom.js";

try {
  const described = await ask("/openapi.json");
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      find("routes").append(section(path, method, route, described));
    }
  }
} catch (error) {
  say(find("said"), error.message, true);
}

function section(path, method, route, described) {
  const named = route.requestBody?.content["application/json"]?.schema.$ref?.split("/").pop();
  const heading = make("h2", {}, make("code", {}, `${method.toUpperCase()} ${path}`));
  const element = make("section", {}, heading, make("p", {}, route.description ?? ""));
  const fields = Object.entries(described.components?.schemas?.[named]?.properties ?? {});
  if (!fields.length) return element;
  const rows = fields.map(([name, field]) => {
    const cells = [make("code", {}, name), kind(field), field.description ?? ""];
    return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
  });
  element.append(make("table", {}, make("tbody", {}, ...rows)));
  return element;
}

function kind(field) {
  const choices = field.anyOf?.filter((option) => option.type !== "null");
  const name = field.type ?? field.$ref?.split("/").pop() ?? "";
  const one = choices?.map(kind).join(" or ") ?? name;
  const low = field.minimum ?? field.exclusiveMinimum;
  const high = field.maximum;
  const bounds =
    low === undefined && high === undefined ? "" : ` from ${low ?? "any"} to ${high ?? "any"}`;
  const preset =
    field.default === undefined ? "" : `; ${JSON.stringify(field.default)} where not given`;
  return one + bounds + preset;
}
