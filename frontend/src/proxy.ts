import { type NextRequest, NextResponse } from "next/server";

import { readBackendUrl } from "@/lib/env";

/** A content security policy for each page: scripts run only with this request's nonce, calls go only to the API. */
export function proxy(request: NextRequest) {
  const nonce = btoa(crypto.randomUUID());
  const development = process.env.NODE_ENV === "development";
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'", // style attributes: positions of menus, widths of the chart
    "img-src 'self' data:",
    `connect-src 'self' ${new URL(readBackendUrl()).origin}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

  const headers = new Headers(request.headers);
  headers.set("Content-Security-Policy", policy); // from here Next.js learns the nonce
  headers.set("x-nonce", nonce);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

// All but the routes of Better Auth and files, named so that whatever is not there is a page with a policy.
export const config = { matcher: "/((?!api/auth/|_next/static/|icon\\.svg$).*)" };
