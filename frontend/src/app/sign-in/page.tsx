import type { Metadata } from "next";
import { redirect } from "next/navigation";

import { AuthLayout } from "@/components/account/auth-layout";
import { SignIn } from "@/components/account/sign-in";
import { currentUser } from "@/lib/auth";

export const metadata: Metadata = { title: "Sign in" };

const NOTICES = new Map([
  ["signed-out", "You have been signed out. Sign in again to continue."],
  ["deleted", "Your account and your tasks have been deleted."],
]);

export default async function Page({ searchParams }: PageProps<"/sign-in">) {
  if (await currentUser()) redirect("/");
  const { reason } = await searchParams;
  const notice = NOTICES.get(String(reason));
  return (
    <AuthLayout
      title="Sign in"
      notice={notice}
      other={{ text: "New here?", link: "Create an account", href: "/sign-up" }}
    >
      <SignIn />
    </AuthLayout>
  );
}
