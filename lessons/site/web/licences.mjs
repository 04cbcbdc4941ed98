// The licence of every package that vendor/editor.js holds, in the order of their names.
import { readdirSync, readFileSync, existsSync } from "node:fs";

const folders = ["@codemirror", "@lezer", "@marijn"].flatMap((scope) =>
  existsSync(`node_modules/${scope}`) ? readdirSync(`node_modules/${scope}`).map((name) => `${scope}/${name}`) : []);
const held = [...folders, "crelt", "style-mod", "w3c-keyname"].sort();
for (const name of held) {
  const at = `node_modules/${name}`;
  const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file`);
  console.log(`${name} ${JSON.parse(readFileSync(`${at}/package.json`, "utf8")).version}\n\n${readFileSync(`${at}/${file}`, "utf8").trim()}\n\n${"-".repeat(80)}\n`);
}
