/** Scripts, style and mark, from our own origin: read once, named in a closed list, known again by their digest. */
import type { Hono } from 'hono';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DeskEnv } from './guard/gate.ts';

type Asset = { readonly bytes: Buffer; readonly type: string; readonly etag: string };

/** Beside this file; in a built package only the source's folder has them. */
const own = ['./assets/', '../../../src/desk/assets/']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url))!;

const files = {
  'desk.css': [new URL('desk.css', own), 'text/css; charset=utf-8'],
  'desk.js': [new URL('desk.mjs', own), 'text/javascript; charset=utf-8'],
  'theme.js': [new URL('theme.mjs', own), 'text/javascript; charset=utf-8'],
  'mark.svg': [new URL('mark.svg', own), 'image/svg+xml'],
  'htmx.js': [
    pathToFileURL(createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js')),
    'text/javascript; charset=utf-8',
  ],
} as const;

export function serveAssets(app: Hono<DeskEnv>): void {
  const assets = new Map(
    Object.entries(files).map(([name, [url, type]]) => [name, readAsset(url, type)]),
  );
  app.get('/assets/:name', (context) => {
    const asset = assets.get(context.req.param('name'));
    if (asset === undefined) return context.text('No such file.\n', 404);
    const { bytes, type, etag } = asset;
    const headers = { 'Content-Type': type, ETag: etag, 'Cache-Control': 'no-cache' };
    if (context.req.header('if-none-match') === etag) return context.body(null, 304, headers);
    return context.body(new Uint8Array(bytes), 200, headers);
  });
}

function readAsset(url: URL, type: string): Asset {
  const bytes = readFileSync(fileURLToPath(url));
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { bytes, type, etag };
}
