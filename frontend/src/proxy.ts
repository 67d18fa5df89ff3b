import { type NextRequest, NextResponse } from "next/server";

import { readBackendUrl } from "@/lib/env";

/** Sets a content security policy on each page: scripts need this request's nonce, and calls may only go to the API. */
export function proxy(request: NextRequest) {
  const nonce = btoa(crypto.randomUUID());
  const development = process.env.NODE_ENV === "development";
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'", // for style attributes: positions of menus, widths in the chart
    "img-src 'self' data:",
    `connect-src 'self' ${new URL(readBackendUrl()).origin}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

  const headers = new Headers(request.headers);
  headers.set("Content-Security-Policy", policy); // Next.js reads the nonce from it
  headers.set("x-nonce", nonce);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

// Everything except Better Auth's routes and files. A path that does not exist is a page, so it gets a policy too.
export const config = { matcher: "/((?!api/auth/|_next/static/|icon\\.svg$).*)" };
