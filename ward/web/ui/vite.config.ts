import { readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** The font is no JavaScript module, so `build.license` does not see it; its licence ships beside it. */
function fontLicence(): Plugin {
  const file = new URL("./node_modules/@fontsource-variable/inter/LICENSE", import.meta.url);
  return {
    name: "font-licence",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "assets/inter-LICENSE.txt", source: readFileSync(file, "utf8") });
    },
  };
}

const SOURCES = new URL("./src/", import.meta.url).pathname;
const COMPONENTS = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".svelte")).sort();

/** The class of a component's styles: its number, as it stands in every tag, and random letters do not compress. */
function scopeOf(file: string): string {
  return `s${COMPONENTS.indexOf(relative(SOURCES, file)).toString(36)}`;
}

export default defineConfig({
  plugins: [svelte({ compilerOptions: { cssHash: ({ filename }) => scopeOf(filename), discloseVersion: false } }), fontLicence()],
  // Relative, so that the dashboard also works below a sub-path of a hospital's proxy.
  base: "./",
  build: {
    outDir: "../ui_dist",
    emptyOutDir: true,
    license: { fileName: "third-party-licenses.md" },
    // A strict content security policy allows no data: URIs and no inline module-preload script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    // What is opened together compresses better together.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: "administration", test: /src\/admin\/(?!NoReadings|api|commands)/ },
            { name: "shared", test: /src\/lib\// },
            { name: "fields", test: /src\/(?:components\/(?:TimeField|DraftForm)|shift\/WardChoice)/ },
            { name: "tuning", test: /src\/(?:workbench|packs|reports)\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { include: ["tests/**/*.test.ts"], setupFiles: ["tests/setup.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
