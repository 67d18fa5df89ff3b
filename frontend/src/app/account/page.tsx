import { ArrowLeft } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";

import { Account } from "@/components/account/account";
import { Button } from "@/components/ui/button";
import { currentUser } from "@/lib/auth";

export const metadata: Metadata = { title: "Account" };

export default async function Page() {
  const user = await currentUser();
  if (!user) redirect("/sign-in");
  return (
    <main className="mx-auto grid w-full max-w-2xl gap-6 px-4 py-6 sm:py-10">
      <div className="flex items-center gap-3">
        <Button asChild variant="quiet" size="icon">
          <Link href="/" aria-label="Back to your tasks">
            <ArrowLeft />
          </Link>
        </Button>
        <h1 className="font-semibold text-xl">Account</h1>
      </div>
      <Account id={user.id} name={user.name} email={user.email} />
    </main>
  );
}
