import type { Metadata } from "next";
import { redirect } from "next/navigation";

import { Entrance } from "@/components/account/entrance";
import { SignUp } from "@/components/account/sign-up";
import { currentUser } from "@/lib/auth";

export const metadata: Metadata = { title: "Create an account" };

export default async function Page() {
  if (await currentUser()) redirect("/");
  return (
    <Entrance title="Create an account" other={{ text: "You have an account?", link: "Sign in", href: "/sign-in" }}>
      <SignUp />
    </Entrance>
  );
}
