import { readFileSync } from "node:fs";
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

export default defineConfig({
  // Names of styles are short: they stand in each file, and random letters do not compress.
  plugins: [svelte({ compilerOptions: { cssHash: ({ hash, filename }) => `s${hash(filename).slice(0, 4)}` } }), fontLicence()],
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
            { name: "tuning", test: /src\/(?:workbench|packs|reports)\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { include: ["tests/**/*.test.ts"], setupFiles: ["tests/setup.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
