// Builds ../static from npm packages and our own sources; --check builds aside and compares hashes.
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "static");
const checking = process.argv.includes("--check");
const packages = join(here, "node_modules");

// What stands in the built files, and under which terms: [folder in node_modules, licence files].
const THIRD = {
  bootstrap: ["LICENSE"],
  "htmx.org": ["LICENSE"],
  echarts: ["LICENSE", "NOTICE", "licenses/LICENSE-d3"],
  zrender: ["LICENSE"],
  tslib: ["LICENSE.txt", "CopyrightNotice.txt"],
};
const OURS = { name: "xindeng", version: "0.1.0", licence: "Apache-2.0" };

async function styles(out) {
  const { css } = compile(join(here, "scss", "xindeng.scss"), {
    style: "compressed", charset: false, loadPaths: [packages],
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"], quietDeps: true,
  });
  await writeFile(join(out, "xindeng.css"), css + "\n");
}

async function scripts(out) {
  const common = { bundle: true, minify: true, target: ["es2020"], charset: "utf8", legalComments: "inline", logLevel: "warning" };
  await build({ ...common, entryPoints: [join(here, "js/echarts.js")], outfile: join(out, "echarts.js"), format: "iife" });
  for (const name of ["xindeng.js", "charts.js", "keys.js"]) {
    await build({ ...common, entryPoints: [join(here, "js", name)], outfile: join(out, name), format: "iife" });
  }
  await cp(join(packages, "htmx.org/dist/htmx.min.js"), join(out, "htmx.js"));
}

async function licences(out) {
  await mkdir(join(out, "licences"), { recursive: true });
  for (const [name, files] of Object.entries(THIRD)) {
    const texts = await Promise.all(files.map((file) => readFile(join(packages, name, file), "utf8")));
    await writeFile(join(out, "licences", `${name}.txt`), texts.map((text) => text.trimEnd()).join("\n\n") + "\n");
  }
}

async function third(name) {
  const { version, license } = JSON.parse(await readFile(join(packages, name, "package.json"), "utf8"));
  return { name, version, licence: license, text: `licences/${name}.txt` };
}

async function listed(out) {
  const parts = { "xindeng.css": ["bootstrap"], "htmx.js": ["htmx.org"], "echarts.js": ["echarts", "zrender", "tslib"] };
  const files = (await readdir(out, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== "manifest.json")
    .map((entry) => relative(out, join(entry.parentPath ?? entry.path, entry.name))).sort();
  const rows = [];
  for (const file of files) {
    const sha256 = createHash("sha256").update(await readFile(join(out, file))).digest("hex");
    const ours = file === "htmx.js" || file.startsWith("licences/") ? [] : [OURS];
    rows.push({ file, sha256, contains: [...ours, ...await Promise.all((parts[file] ?? []).map(third))] });
  }
  return rows;
}

async function make(out) {
  await mkdir(out, { recursive: true });
  await styles(out);
  await scripts(out);
  await cp(join(here, "svg"), out, { recursive: true });
  await licences(out);
  await writeFile(join(out, "manifest.json"), JSON.stringify({ files: await listed(out) }, null, 1) + "\n");
}

async function compare(out) {
  const read = async (folder) => JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")).files;
  const fresh = new Map((await read(out)).map((row) => [row.file, row.sha256]));
  const kept = new Map((await listed(target)).map((row) => [row.file, row.sha256]));
  const names = [...new Set([...fresh.keys(), ...kept.keys()])];
  return names.filter((name) => fresh.get(name) !== kept.get(name));
}

if (checking) {
  const out = await mkdtemp(join(tmpdir(), "xindeng-assets-"));
  try {
    await make(out);
    const different = await compare(out);
    for (const name of different) console.error(`differs from its source: static/${name}`);
    if (different.length) process.exitCode = 1;
    else console.log("static files match their sources");
  } finally {
    await rm(out, { recursive: true });
  }
} else {
  await rm(target, { recursive: true, force: true });
  await make(target);
  console.log(`built ${relative(process.cwd(), target)}`);
}
