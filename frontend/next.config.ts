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
      // For tokens and sessions. Better Auth sets this header on some of its responses only.
      { source: "/api/auth/:path*", headers: [{ key: "Cache-Control", value: "no-store" }] },
    ];
  },
};

export default config;
