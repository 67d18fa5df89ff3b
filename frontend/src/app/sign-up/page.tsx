import type { Metadata } from "next";
import { redirect } from "next/navigation";

import { AuthLayout } from "@/components/account/auth-layout";
import { SignUp } from "@/components/account/sign-up";
import { currentUser } from "@/lib/auth";

export const metadata: Metadata = { title: "Create an account" };

export default async function Page() {
  if (await currentUser()) redirect("/");
  return (
    <AuthLayout
      title="Create an account"
      other={{ text: "Already have an account?", link: "Sign in", href: "/sign-in" }}
    >
      <SignUp />
    </AuthLayout>
  );
}
