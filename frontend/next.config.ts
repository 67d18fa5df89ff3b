import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  experimental: { optimizePackageImports: ["radix-ui"] },
  async headers() {
    return [
      {
        source: "/:path*",
        headers: [
          { key: "X-Content-Type-Options", value: "nosniff" },
          { key: "Referrer-Policy", value: "same-origin" },
          { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=()" },
        ],
      },
      // Tokens and sessions. Better Auth says so of some of its answers only.
      { source: "/api/auth/:path*", headers: [{ key: "Cache-Control", value: "no-store" }] },
    ];
  },
};

export default config;
